package mapping

import (
	"fmt"
	"slices"
	"strings"
)

// Reference gives the mapping's reference as Markdown, made from the table of
// keys by which Parse reads. Its headings are of the third level.
func Reference() string {
	var b strings.Builder
	section := func(title, intro string, keys []key) {
		fmt.Fprintf(&b, "### %s\n\n%s\n\n| key | value | needed | meaning | example |\n|---|---|---|---|---|\n", title, intro)
		for _, k := range keys {
			need := k.need
			switch {
			case strings.HasPrefix(need, "in every"):
			case only(&k) != "":
				need = joinNonEmpty(need, only(&k)+" only")
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | `%s` |\n", k.name, cellText(k.value()), cellText(need), cellText(k.doc), strings.ReplaceAll(k.example, "|", "\\|"))
		}
		b.WriteByte('\n')
	}
	section("The mapping", "The keys at the top of the file.", topKeys)
	section("input", "How the file is to be read; everything is found out where nothing is said.", inputKeys)
	section("lead", "How the lead of a sales activity is found. The settings of a field may stand beside these keys.", leadKeys[:3])
	for _, k := range topKeys {
		if k.intro != "" {
			section(k.name, k.intro, k.keys)
		}
	}
	section("A field", "A field is the name of a column, or a group of these keys. Exactly one of `column`, `value`, `expr` and `join` says where its value comes from.", fieldKeys)
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// only names the records that a key is for; "" means all.
func only(k *key) string {
	var words []string
	for _, s := range takers(k) {
		if !slices.Contains(words, s.many) {
			words = append(words, s.many)
		}
	}
	return strings.Join(words, " and ")
}

func joinNonEmpty(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

func cellText(s string) string { return strings.ReplaceAll(s, "|", "\\|") }

// value says in words what a key takes.
func (k *key) value() string {
	switch k.shape {
	case shapeTexts:
		return "text or list"
	case shapeBool:
		return "true, false"
	case shapeInt:
		return "whole number"
	case shapeEnum:
		var words []string
		for _, e := range k.enum {
			if e != "\t" {
				words = append(words, "`"+e+"`")
			}
		}
		return strings.Join(words, " ")
	case shapeColumn:
		return "column"
	case shapeColumns:
		return "column or list"
	case shapeExpr:
		return "expression"
	case shapeZone:
		return "zone or `{column: …}`"
	case shapePairs:
		return "pairs of texts"
	case shapeSettings:
		return "group"
	case shapeField:
		return "field"
	case shapeFields:
		return "fields by schema name"
	case shapeEventCode:
		return "whole number or field"
	}
	return "text"
}
