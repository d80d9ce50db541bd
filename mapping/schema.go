package mapping

import (
	"bytes"
	"encoding/json"
)

// Schema gives the JSON Schema (draft 7, which editors know best) of a
// mapping file, made from the table of keys by which Parse reads. It checks
// shapes and names; what goes together is checked by Parse alone.
func Schema() []byte {
	root := object{
		"$schema":     "http://json-schema.org/draft-07/schema#",
		"title":       "leadload mapping",
		"description": "How the columns of a file become leads, opportunities and sales activities",
	}
	for name, v := range schemaOf(topKeys) {
		root[name] = v
	}
	root["required"] = []string{"version", "target"}
	root["properties"].(object)["version"] = object{"const": 1, "description": findKey(topKeys, "version").doc}
	var branches []object
	for _, t := range specs {
		branches = append(branches, t.schema())
	}
	root["allOf"] = branches

	field := schemaOf(fieldKeys)
	field["oneOf"] = []object{need("column"), need("value"), need("expr"), need("join")}
	root["definitions"] = object{
		"text":  object{"type": []string{"string", "number", "boolean"}},
		"field": object{"anyOf": []object{{"type": []string{"string", "number"}, "description": "the name of a column"}, field}},
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(root); err != nil {
		panic("mapping: the schema cannot be encoded: " + err.Error()) // plain maps always can
	}
	return b.Bytes()
}

type object = map[string]any

func need(name string) object { return object{"required": []string{name}} }

// schema is what a target asks for and forbids.
func (t *spec) schema() object {
	forbidden := object{}
	for i := range topKeys {
		if !t.has(&topKeys[i]) {
			forbidden[topKeys[i].name] = false
		}
	}
	return object{
		"if":   object{"required": []string{"target"}, "properties": object{"target": object{"const": string(t.name)}}},
		"then": object{"required": names(t.groups, nil), "properties": forbidden},
	}
}

// schemaOf gives the schema of a group of keys.
func schemaOf(keys []key) object {
	properties := object{}
	out := object{"type": "object", "additionalProperties": false, "properties": properties}
	var required []string
	for _, k := range keys {
		s := k.schema()
		s["description"] = k.doc
		if k.name == customFieldKey {
			out["patternProperties"] = object{"^mx_Custom_([5-9]|[1-9][0-9]+)$": s}
			continue
		}
		properties[k.name] = s
		if k.need == "yes" {
			required = append(required, k.name)
		}
	}
	if required != nil {
		out["required"] = required
	}
	return out
}

func (k *key) schema() object {
	text := object{"$ref": "#/definitions/text"}
	texts := object{"anyOf": []object{text, {"type": "array", "items": text, "minItems": 1}}}
	field := object{"$ref": "#/definitions/field"}
	switch k.shape {
	case shapeBool:
		return object{"type": "boolean"}
	case shapeInt:
		return object{"type": "integer", "minimum": 1}
	case shapeEnum:
		return object{"enum": k.enum}
	case shapeTexts, shapeColumns:
		return texts
	case shapeZone:
		return object{"anyOf": []object{text, {"type": "object", "additionalProperties": false, "properties": object{"column": text}, "required": []string{"column"}}}}
	case shapePairs:
		return object{"type": "object", "additionalProperties": text, "minProperties": 1}
	case shapeSettings:
		return schemaOf(k.keys)
	case shapeEventCode:
		settings := schemaOf(fieldKeys)
		return object{"anyOf": []object{{"type": "integer", "minimum": 1}, settings}}
	case shapeField:
		return object{"allOf": []object{field}}
	case shapeFields:
		s := object{"type": "object", "minProperties": 1, "additionalProperties": field}
		if k.name == "LeadDetails" {
			known := object{}
			for _, name := range leadAttributes {
				known[name] = field
			}
			s["properties"] = known
		} else {
			s["properties"] = object{"Status": field, "Owner": field, "mx_Custom_1": field}
		}
		return s
	}
	return object{"allOf": []object{text}}
}
