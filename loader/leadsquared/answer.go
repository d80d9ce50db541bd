package leadsquared

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// object is a JSON object that survives what accounts really send: names in
// any case, names given twice. A name has every value that says
// something (null and "" give way to any other value).
type object struct {
	members []named
	index   map[string]int // by name in lower case; nil for the few members of most answers
}

type named struct {
	name  string // as written first
	value any
	other []any // what the name was given besides, different from value
}

// manyMembers is from where on an index is cheaper than looking through all.
const manyMembers = 24

func (o object) find(name string) *named {
	if o.index != nil {
		if i, ok := o.index[strings.ToLower(name)]; ok {
			return &o.members[i]
		}
		return nil
	}
	for i := range o.members {
		if strings.EqualFold(o.members[i].name, name) {
			return &o.members[i]
		}
	}
	return nil
}

func (o *object) add(name string, v any) {
	m := o.find(name)
	switch {
	case m == nil:
		o.members = append(o.members, named{name: name, value: v})
		switch n := len(o.members); {
		case o.index != nil:
			o.index[strings.ToLower(name)] = n - 1
		case n == manyMembers:
			o.index = make(map[string]int, 4*n)
			for i := range o.members {
				o.index[strings.ToLower(o.members[i].name)] = i
			}
		}
	case isNothing(v):
	case isNothing(m.value):
		m.value = v
	case isScalar(v) && isScalar(m.value) && text(v) == text(m.value):
	default:
		m.other = append(m.other, v)
	}
}

// get gives the value under the first of the names that has one; nil is none,
// and also what a name has that was given twice with different values.
func (o object) get(names ...string) any {
	for _, n := range names {
		if m := o.find(n); m != nil && m.other == nil && m.value != nil {
			return m.value
		}
	}
	return nil
}

// torn reports that one of the names was given twice with different values, so
// that its value is not known.
func (o object) torn(names ...string) bool {
	for _, n := range names {
		if m := o.find(n); m != nil && m.other != nil {
			return true
		}
	}
	return false
}

func (o object) has(names ...string) bool {
	for _, n := range names {
		if o.find(n) != nil {
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

// identifier returns an id as text; "" for null, "", the all-zero GUID, and
// everything that cannot be an id.
func identifier(v any) string {
	id, _ := readID(v)
	return id
}

// readID is identifier; odd reports that there is a text which cannot be an id:
// a damaged one, or an answer to another question. The vendor's ids are GUIDs; a
// short word of letters and digits is taken as well.
func readID(v any) (id string, odd bool) {
	if _, isBool := v.(bool); isBool {
		return "", false
	}
	s := text(v)
	if strings.Trim(s, "0-{}") == "" || strings.EqualFold(s, "null") || strings.EqualFold(s, "undefined") {
		return "", false
	}
	if !isID(s) {
		return "", true
	}
	return strings.Trim(s, "{}"), false // one way to write a GUID, and no part of it
}

// isID reports whether a text has the form of an id.
func isID(s string) bool {
	if isGUID(s) {
		return true
	}
	dashes := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		case i == 0 || i == len(s)-1:
			return false
		case c == '-':
			dashes++
		case c != '_' && c != '.' && c != ':':
			return false
		}
	}
	// With so many dashes it is a GUID of which a character was changed, lost or doubled.
	return len(s) <= 64 && !(dashes >= 3 && len(s) >= 30)
}

// isGUID reports whether a text is a GUID, with or without braces.
func isGUID(s string) bool {
	if len(s) == 38 && s[0] == '{' && s[37] == '}' {
		s = s[1:37]
	}
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
				return false
			}
		}
	}
	return true
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
	if o, ok := v.(object); ok && len(o.members) == 1 && strings.EqualFold(o.members[0].name, "d") {
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
	yearFirst := len(s) > 4 && s[4] == '-'
	for _, l := range timeLayouts {
		if (l[4] == '-') != yearFirst {
			continue // a layout that does not fit takes longer than one that does
		}
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
