package leadsquared

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// parseJSON reads exactly one JSON value: object, []any, string, json.Number,
// bool or nil. A byte order mark before it is tolerated.
//
// It is a parser of its own because names given twice must be seen: encoding/json
// lets the last one win.
func parseJSON(b []byte) (any, bool) { return parseVeiled(b, nil) }

// parseVeiled is parseJSON that takes keys out of the texts.
func parseVeiled(b []byte, keys *Veil) (any, bool) {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	// Valid refuses whatever is not JSON, what follows the value, and nesting
	// past 10,000. The parser relies on all three.
	if !json.Valid(b) {
		return nil, false
	}
	p := parser{b: b, keys: keys}
	return p.value(), true
}

// parser walks through valid JSON.
type parser struct {
	b    []byte
	i    int
	keys *Veil
}

// next gives the first byte that is no blank.
func (p *parser) next() byte {
	for {
		switch c := p.b[p.i]; c {
		case ' ', '\t', '\r', '\n':
			p.i++
		default:
			return c
		}
	}
}

func (p *parser) value() any {
	switch p.next() {
	case '{':
		return p.object()
	case '[':
		return p.array()
	case '"':
		return p.text()
	case 't':
		p.i += len("true")
		return true
	case 'f':
		p.i += len("false")
		return false
	case 'n':
		p.i += len("null")
		return nil
	}
	start := p.i
	for p.i < len(p.b) && inNumber[p.b[p.i]] {
		p.i++
	}
	return json.Number(p.b[start:p.i])
}

var inNumber = func() (t [256]bool) {
	for _, c := range []byte("0123456789+-.eE") {
		t[c] = true
	}
	return t
}()

func (p *parser) object() any {
	o := object{}
	p.i++
	for p.next() != '}' {
		if p.b[p.i] == ',' {
			p.i++
			p.next()
		}
		name := p.text()
		p.next() // the colon
		p.i++
		o.add(name, p.value())
	}
	p.i++
	return o
}

func (p *parser) array() any {
	list := []any{}
	p.i++
	for p.next() != ']' {
		if p.b[p.i] == ',' {
			p.i++
		}
		list = append(list, p.value())
	}
	p.i++
	return list
}

func (p *parser) text() string {
	start := p.i
	plain := true
	for p.i++; p.b[p.i] != '"'; p.i++ {
		if p.b[p.i] == '\\' {
			plain = false
			p.i++
		}
	}
	p.i++
	quoted := p.b[start:p.i]
	if inner := quoted[1 : len(quoted)-1]; plain && utf8.Valid(inner) {
		return string(inner)
	}
	var s string
	_ = json.Unmarshal(quoted, &s) // cannot fail: it is valid
	return p.keys.Text(s)          // a plain text was searched with the bytes around it
}
