package leadsquared

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// object is a JSON object that survives what accounts really send: names in
// any case, names given twice. Names are kept in lower case with every value
// they had that says something (null and "" give way to any other value).
type object struct {
	names  []string // as written, in order, each once
	values map[string][]any
}

// parseJSON reads exactly one JSON value: object, []any, string, json.Number,
// bool or nil. A byte order mark before it is tolerated.
func parseJSON(b []byte) (any, bool) {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	// Valid refuses what follows the value, and nesting past 10,000, so that
	// the recursion below is bounded.
	if !json.Valid(b) {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	v, err := parseValue(d)
	return v, err == nil
}

func parseValue(d *json.Decoder) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := t.(json.Delim)
	if !ok {
		return t, nil
	}
	if delim == '[' {
		list := []any{}
		for d.More() {
			v, err := parseValue(d)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	}
	o := object{values: map[string][]any{}}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := t.(string)
		v, err := parseValue(d)
		if err != nil {
			return nil, err
		}
		o.add(name, v)
	}
	_, err = d.Token()
	return o, err
}

func (o *object) add(name string, v any) {
	key := strings.ToLower(strings.TrimSpace(name))
	had, seen := o.values[key]
	if !seen {
		o.names = append(o.names, name)
	}
	if seen && isNothing(v) {
		return
	}
	if len(had) == 1 && isNothing(had[0]) {
		had = nil
	}
	for _, h := range had {
		if text(h) == text(v) && isScalar(h) && isScalar(v) {
			return
		}
	}
	o.values[key] = append(had, v)
}

// get gives the value under the first of the names that has one; nil is none,
// and also what a name has that was given twice with different values.
func (o object) get(names ...string) any {
	for _, n := range names {
		if vs := o.values[strings.ToLower(n)]; len(vs) == 1 && vs[0] != nil {
			return vs[0]
		}
	}
	return nil
}

// torn reports that one of the names was given twice with different values, so
// that its value is not known.
func (o object) torn(names ...string) bool {
	for _, n := range names {
		if len(o.values[strings.ToLower(n)]) > 1 {
			return true
		}
	}
	return false
}

func (o object) has(names ...string) bool {
	for _, n := range names {
		if _, ok := o.values[strings.ToLower(n)]; ok {
			return true
		}
	}
	return false
}

func (o object) text(names ...string) string { return text(o.get(names...)) }

func (o object) object(names ...string) (object, bool) {
	v, ok := o.get(names...).(object)
	return v, ok
}

func (o object) integer(names ...string) (int, bool) { return integer(o.get(names...)) }

func (o object) flag(names ...string) bool {
	switch v := o.get(names...).(type) {
	case bool:
		return v
	default:
		switch strings.ToLower(text(v)) {
		case "true", "1", "yes":
			return true
		}
	}
	return false
}

func isNothing(v any) bool {
	s, ok := v.(string)
	return v == nil || ok && strings.TrimSpace(s) == ""
}

func isScalar(v any) bool {
	switch v.(type) {
	case string, json.Number, bool:
		return true
	}
	return false
}

// text gives a scalar as trimmed text; "" is null and everything that is no scalar.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v)
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// integer reads 3, "3", 3.0 and "3.00".
func integer(v any) (int, bool) {
	switch v.(type) {
	case string, json.Number:
	default:
		return 0, false
	}
	s := text(v)
	if n, err := strconv.Atoi(s); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<52 {
		return 0, false
	}
	return int(f), true
}

// identifier gives an id as text; "" for what is none: null, "", the all-zero GUID.
func identifier(v any) string {
	if _, isBool := v.(bool); isBool {
		return ""
	}
	s := text(v)
	if strings.Trim(s, "0-{}") == "" || strings.EqualFold(s, "null") || strings.EqualFold(s, "undefined") {
		return ""
	}
	return s
}

// rows gives the list that an answer holds: the array itself, or the array
// under one of the names. ok is false for any other shape. A list that is
// null counts as empty only where the answer's RecordCount is 0.
func rows(v any, names ...string) (list []any, total int, ok bool) {
	switch v := v.(type) {
	case []any:
		if len(v) == 1 { // a page wrapped once more, seen in the field
			if inner, nested := v[0].([]any); nested {
				v = inner
			}
		}
		return v, len(v), true
	case object:
		total, counted := v.integer("RecordCount", "TotalRecords", "TotalCount")
		if counted && total < 0 || v.torn("RecordCount") || v.torn(names...) {
			return nil, 0, false
		}
		list, found := v.get(names...).([]any)
		switch {
		case found && !counted:
			return list, len(list), true
		case found:
			return list, total, len(list) > 0 || total == 0
		case counted && total == 0 && (!v.has(names...) || v.get(names...) == nil):
			return nil, 0, true
		}
	}
	return nil, 0, false
}

// unwrapD takes off the {"d": …} that WCF services put around an answer.
func unwrapD(v any) any {
	if o, ok := v.(object); ok && len(o.names) == 1 && strings.EqualFold(o.names[0], "d") {
		if inner := o.get("d"); inner != nil {
			return inner
		}
	}
	return v
}

// timeLayouts are the forms in which answers have carried timestamps; all of
// them are UTC where they name no zone. Go reads fractions of seconds unasked.
var timeLayouts = []string{
	"2006-01-02 15:04:05",
	"2006-01-02T15:04:05Z07:00",
	"2006-01-02T15:04:05",
	"2006-01-02 15:04:05Z07:00",
	"1/2/2006 3:04:05 PM", // seen in ActivityFields and bulk reads
	"1/2/2006 15:04:05",
	"2006-01-02 15:04",
	"2006-01-02",
}

// parseTime reads an answer's timestamp as UTC.
func parseTime(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	if rest, ok := strings.CutPrefix(s, "/Date("); ok { // WCF's own form
		rest = strings.TrimSuffix(rest, ")/")
		if i := strings.LastIndexAny(rest, "+-"); i > 0 {
			rest = rest[:i]
		}
		ms, err := strconv.ParseInt(rest, 10, 64)
		if err != nil || ms < 0 || ms > 1<<47 {
			return time.Time{}, false
		}
		return time.UnixMilli(ms).UTC(), true
	}
	for _, l := range timeLayouts {
		if t, err := time.ParseInLocation(l, s, time.UTC); err == nil {
			if t.Year() < 1900 { // .NET's DateTime.MinValue stands for "none"
				return time.Time{}, false
			}
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

func (o object) time(names ...string) time.Time {
	t, _ := parseTime(o.text(names...))
	return t
}
