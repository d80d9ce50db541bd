package mapping

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"leadload/internal/fault"
)

// A mapping is read from the YAML syntax tree and not by decoding into
// structs: a decoder turns 0123 into 83 and "~" into nothing, stops at the
// first fault and forgets the places of the rest.

type nodeKind uint8

const (
	scalarNode nodeKind = iota
	nullNode
	mapNode
	listNode
)

// node is one value of a YAML file with its place. Line and column count from
// 1, columns in characters.
type node struct {
	kind      nodeKind
	text      string // scalar: exactly as written, quotes and escapes resolved
	quoted    bool   // scalar: written in quotes or as a block
	told      bool   // null: it stands for something whose fault has been told
	line, col int
	entries   []entry // map
	items     []*node // list
}

type entry struct {
	key, value *node
}

// describe names what stands at n for an error message.
func (n *node) describe() string {
	switch n.kind {
	case nullNode:
		return "nothing"
	case mapNode:
		return "a group of keys"
	case listNode:
		return "a list"
	}
	return fmt.Sprintf("%q", n.text)
}

// get gives the value of a map's key, or nil.
func (n *node) get(name string) *node {
	if n == nil || n.kind != mapNode {
		return nil
	}
	for _, e := range n.entries {
		if e.key.text == name {
			return e.value
		}
	}
	return nil
}

// casesFile is what a file of test cases is called in messages.
const casesFile = "test file"

// Bounds of a YAML file of ours. A mapping of a thousand fields has some
// 100 KiB; aliases of aliases cannot grow past maxNodes. The YAML library's
// time grows with the square of the keys in one group (20,000 take two
// seconds), and a mapping is little but groups.
const (
	maxYAMLBytes = 1 << 20
	maxLines     = 5_000  // of a mapping
	maxTestLines = 50_000 // of a file of test cases, which is a list
	maxYAMLDepth = 64
	maxNodes     = 100_000
)

// YAMLFault returns the fault of a YAML text by which no reader of ours takes
// it, nil for none: encoding, size, nesting, tabs. What a parser then makes of
// it is bounded. The message shows nothing of the text.
func YAMLFault(what string, text []byte) *Problem {
	c := newCollector(what, "")
	clean := normalise(text)
	if !utf8.ValidString(clean) {
		line, col := badUTF8(clean)
		c.place(line, col, "yaml.encoding", "save the file as UTF-8", fmt.Sprintf("the %s is not UTF-8 text", what))
	} else {
		checkShape(c, what, clean)
	}
	if len(c.found) == 0 {
		return nil
	}
	return &c.found[0]
}

// parseYAML reads one document. It gives nil when there is nothing to go on
// with; what is wrong is then in c.
func parseYAML(c *collector, what, text string) (root *node) {
	if !utf8.ValidString(text) {
		line, col := badUTF8(text)
		c.place(line, col, "yaml.encoding", "save the file as UTF-8", fmt.Sprintf("the %s is not UTF-8 text", what))
		return nil
	}
	if strings.TrimSpace(text) == "" {
		c.place(1, 1, "yaml.empty", emptyHint(what), fmt.Sprintf("the %s is empty", what))
		return nil
	}
	if !checkShape(c, what, text) {
		return nil
	}
	// The YAML library is handed whatever a user wrote; should it stumble over
	// something, that is a fault of the file and no crash.
	defer func() {
		if r := recover(); r != nil {
			c.place(1, 1, "yaml.syntax", "look for unbalanced quotes or brackets", fmt.Sprintf("the %s cannot be read as YAML", what))
			root = nil
		}
	}()
	tokens, ok := mendFlow(c, lexer.Tokenize(text))
	if !ok {
		return nil
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		syntaxProblem(c, err)
		return nil
	}
	var body ast.Node
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		switch doc.Body.Type() {
		case ast.DirectiveType, ast.CommentType, ast.CommentGroupType:
			continue
		}
		if body != nil {
			line, col := place(doc.Body)
			c.place(line, col, "yaml.documents", "keep one mapping a file", fmt.Sprintf("a second document begins here; a %s has one", what))
			return nil
		}
		body = doc.Body
	}
	if body == nil {
		c.place(1, 1, "yaml.empty", emptyHint(what), fmt.Sprintf("the %s is empty", what))
		return nil
	}
	b := builder{c: c, anchors: map[string]*node{}}
	return b.build(body, 0)
}

func emptyHint(what string) string {
	if what == "mapping" {
		return `draft one with "leadload init FILE"`
	}
	return ""
}

func badUTF8(text string) (line, col int) {
	line, col = 1, 1
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return line, col
		case r == '\n':
			line, col = line+1, 1
		default:
			col++
		}
		i += size
	}
	return line, col
}

// checkShape looks for what the YAML library reports badly (tabs) or would
// recurse into without end (nesting).
func checkShape(c *collector, what, text string) bool {
	if len(text) > maxYAMLBytes {
		c.place(1, 1, "yaml.size", "", fmt.Sprintf("the %s has %d bytes; at most %d are read", what, len(text), maxYAMLBytes))
		return false
	}
	limit := maxLines
	if what == casesFile {
		limit = maxTestLines
	}
	if n := strings.Count(text, "\n"); n > limit {
		c.place(1, 1, "yaml.size", "", fmt.Sprintf("the %s has %d lines; at most %d are read", what, n, limit))
		return false
	}
	ok := true
	depth := 0
	for i, line := range strings.Split(text, "\n") {
		blank := strings.TrimLeft(line, " \t")
		indent := line[:len(line)-len(blank)]
		if t := strings.IndexByte(indent, '\t'); t >= 0 && blank != "" && blank[0] != '#' {
			c.place(i+1, t+1, "yaml.tab", "replace the tab by spaces", "a tab indents this line; YAML takes spaces only")
			ok = false
		}
		dashes := 0
		for j := 0; j < len(line); j++ {
			switch line[j] {
			case '[', '{':
				depth++
			case ']', '}':
				depth = max(0, depth-1)
			case '-', '?', '!', '&':
				dashes++
			case 0:
				c.place(i+1, j+1, "yaml.syntax", "", "a NUL byte stands here")
				return false
			}
			if depth > maxYAMLDepth {
				c.place(i+1, j+1, "yaml.depth", "", fmt.Sprintf("brackets are nested more than %d deep", maxYAMLDepth))
				return false
			}
		}
		if dashes > 2000 || len(indent) > 2000 {
			c.place(i+1, 1, "yaml.depth", "", fmt.Sprintf("this line is nested more than %d deep", maxYAMLDepth))
			return false
		}
	}
	return ok
}

// mendFlow joins again what the YAML library cuts by mistake: inside braces it
// takes the first colon for the end of a key, so that {10:30: early} would have
// the key 10 and {format: [HH:mm]} a list of a group. YAML asks for a space
// after such a colon, as the library does outside of braces.
func mendFlow(c *collector, tokens token.Tokens) (out token.Tokens, ok bool) {
	var open []token.Type
	braces := 0
	for i := 0; i < len(tokens); i++ {
		tk := tokens[i]
		switch tk.Type {
		case token.SequenceStartType, token.MappingStartType:
			open = append(open, tk.Type)
			if tk.Type == token.MappingStartType {
				braces++
			}
		case token.SequenceEndType, token.MappingEndType:
			if len(open) > 0 {
				if open[len(open)-1] == token.MappingStartType {
					braces--
				}
				open = open[:len(open)-1]
			}
		}
		if braces == 0 || len(open) == 0 {
			out.Add(tk)
			continue
		}
		whole := tk.Value
		last := i
		if tk.Type == token.MappingValueType && len(out) > 0 && i+1 < len(tokens) && startsEntry(out[len(out)-1]) && besideColon(tk, tokens[i+1]) {
			whole += tokens[i+1].Value // a key that begins with a colon
			last++
		}
		for last+2 < len(tokens) && (last > i || isPlain(tk)) && cutApart(tokens[last], tokens[last+1], tokens[last+2]) {
			whole += ":" + tokens[last+2].Value
			last += 2
		}
		if last == i {
			out.Add(tk)
			continue
		}
		i = last
		end := keyEnd(whole)
		if inList := open[len(open)-1] == token.SequenceStartType; inList && end < 0 {
			out.Add(token.New(whole, whole, tk.Position))
			continue
		} else if inList || end < 0 {
			c.place(tk.Position.Line, tk.Position.Column, "yaml.syntax", "put a space after the colon that ends a name, and texts that hold a colon in quotes",
				fmt.Sprintf("%s has a colon that may end a name or belong to the text", quoted(whole)))
			return nil, false
		}
		key, value := strings.TrimRight(whole[:end], " "), whole[end+1:]
		out.Add(token.New(key, key, tk.Position))
		at := *tk.Position
		at.Column += utf8.RuneCountInString(whole[:end])
		out.Add(token.MappingValue(&at))
		text := strings.TrimLeft(value, " ")
		for _, v := range lexer.Tokenize(text) {
			if v.Type == token.MappingValueType || v.Position == nil {
				c.place(at.Line, at.Column, "yaml.syntax", "put texts that hold a colon in quotes", fmt.Sprintf("%s has two colons that end a name", quoted(whole)))
				return nil, false
			}
			pos := *v.Position
			pos.Column += at.Column + len(value) - len(text)
			pos.Line = at.Line
			v.Position = &pos
			out.Add(v)
		}
	}
	return out, true
}

// keyEnd returns the place of the colon that ends a key: the first one before
// a space or at the end; -1 for none.
func keyEnd(s string) int {
	for i := 1; i < len(s); i++ {
		if s[i] == ':' && (i+1 == len(s) || s[i+1] == ' ') {
			return i
		}
	}
	return -1
}

// startsEntry reports a token after which an entry of braces begins.
func startsEntry(t *token.Token) bool {
	return t.Type == token.MappingStartType || t.Type == token.CollectEntryType
}

func isPlain(t *token.Token) bool {
	return t.CharacterType == token.CharacterTypeMiscellaneous && t.Indicator == token.NotIndicator && t.Position != nil
}

// besideColon reports a plain scalar right behind a colon.
func besideColon(colon, b *token.Token) bool {
	return isPlain(b) && colon.Type == token.MappingValueType && colon.Position != nil &&
		b.Position.Line == colon.Position.Line && b.Position.Column == colon.Position.Column+1
}

// cutApart reports two plain scalars with nothing but a colon between them.
func cutApart(a, colon, b *token.Token) bool {
	return isPlain(a) && besideColon(colon, b) && colon.Position.Line == a.Position.Line &&
		colon.Position.Column == a.Position.Column+utf8.RuneCountInString(a.Value)
}

// syntaxProblem puts the library's words for a syntax fault into ours where
// people meet them often.
func syntaxProblem(c *collector, err error) {
	var at interface {
		GetToken() *token.Token
		GetMessage() string
	}
	if !errors.As(err, &at) || at.GetToken() == nil || at.GetToken().Position == nil {
		c.place(1, 1, "yaml.syntax", "", "the YAML cannot be read: "+oneLine(err.Error()))
		return
	}
	pos := at.GetToken().Position
	msg, hint := oneLine(at.GetMessage()), ""
	for _, s := range syntaxWords {
		if strings.Contains(msg, s.theirs) {
			msg, hint = s.ours, s.hint
			break
		}
	}
	c.place(pos.Line, pos.Column, "yaml.syntax", hint, msg)
}

var syntaxWords = []struct{ theirs, ours, hint string }{
	{"mapping value is not allowed in this context", "a second colon, or a line indented differently from its neighbours",
		"put texts that hold a colon in quotes, and indent keys of one group alike"},
	{"map key-value is pre-defined", "text follows a value that has ended", "put the whole value in quotes"},
	{"value is not allowed in this context", "this is not at the indentation of its group, or a value stands where a key belongs",
		"indent keys of one group alike"},
	{"could not find end character of double-quoted text", "a double quote opens here and never closes", `write \" for a quote inside`},
	{"could not find end character of single-quoted text", "a single quote opens here and never closes", "write '' for a quote inside"},
	{"could not find flow mapping end token", "a { opens here and never closes", "close it with }"},
	{"could not find flow map content", "a { opens here and never closes", "close it with }"},
	{"sequence end token ']' not found", "a [ opens here and never closes", "close it with ]"},
	{"must be specified", "a , or a closing bracket is missing before this place", ""},
	{"is a reserved character", "a value cannot begin with this character", "put the value in quotes"},
	{"that cannot start any token", "this character cannot stand here", "put the value in quotes; indent with spaces, not tabs"},
	{"undefined alias name", "a * stands here without a name", "put the value in quotes"},
	{"undefined anchor name", "an & stands here without a name", "put the value in quotes"},
	{"character corresponding to", "a bracket closes here that never opened, or a word before it ends in a colon", "put texts that hold a colon in quotes"},
	{"unexpected scalar value type", "a word here ends in a colon", "put texts that hold a colon in quotes"},
	{"unexpected key name", "a key without a colon", "write name: value"},
	{"non-map value is specified", "this line has no colon", "write name: value"},
}

func oneLine(s string) string {
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		s = s[:i]
	}
	return strings.TrimSpace(s)
}

// builder turns the library's tree into ours.
type builder struct {
	c       *collector
	anchors map[string]*node
	nodes   int
	full    bool
}

func place(n ast.Node) (line, col int) {
	switch x := n.(type) {
	case *ast.MappingNode:
		// A block map's own token is the colon of its first key.
		if !x.IsFlowStyle && len(x.Values) > 0 {
			return place(x.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return place(x.Key)
	}
	if tk := n.GetToken(); tk != nil && tk.Position != nil {
		return tk.Position.Line, tk.Position.Column
	}
	return 1, 1
}

func (b *builder) build(n ast.Node, depth int) *node {
	line, col := place(n)
	out := &node{line: line, col: col}
	if b.nodes++; b.nodes > maxNodes || depth > maxYAMLDepth {
		if !b.full {
			b.c.place(line, col, "yaml.depth", "", "the file is nested too deep or holds too many values")
			b.full = true
		}
		out.kind, out.told = nullNode, true
		return out
	}
	switch x := n.(type) {
	case *ast.NullNode:
		out.kind = nullNode
		out.text = x.GetToken().Value
	case *ast.MappingNode:
		out.kind = mapNode
		b.fill(out, x.Values, depth)
	case *ast.MappingValueNode:
		out.kind = mapNode
		b.fill(out, []*ast.MappingValueNode{x}, depth)
	case *ast.SequenceNode:
		out.kind = listNode
		for _, v := range x.Values {
			if v == nil {
				continue
			}
			out.items = append(out.items, b.build(v, depth+1))
		}
	case *ast.AnchorNode:
		v := b.build(x.Value, depth+1)
		if name := x.Name.GetToken(); name != nil {
			b.anchors[name.Value] = v
		}
		return v
	case *ast.AliasNode:
		name := ""
		if tk := x.Value.GetToken(); tk != nil {
			name = tk.Value
		}
		v, ok := b.anchors[name]
		if !ok {
			names := make([]string, 0, len(b.anchors))
			for a := range b.anchors {
				names = append(names, a)
			}
			hint := `an anchor is set with &name before it is used; put a text that begins with * in quotes`
			if n := fault.Nearest(name, names); n != "" {
				hint = fmt.Sprintf("did you mean *%s?", n)
			}
			b.c.at(out, "yaml.anchor", hint, "no anchor %q was set before this place", name)
			out.kind, out.told = nullNode, true
			return out
		}
		return v
	case *ast.TagNode:
		switch tag := x.GetToken().Value; tag {
		case "!!str", "!":
			if x.Value == nil {
				out.quoted = true
				return out
			}
			v := b.build(x.Value, depth+1)
			if v.kind == nullNode {
				v.kind = scalarNode
			}
			v.quoted = true
			return v
		default:
			b.c.at(out, "yaml.tag", "leave it out; put texts in quotes", "the tag %s has no meaning here", tag)
			if x.Value != nil {
				return b.build(x.Value, depth+1)
			}
			out.kind, out.told = nullNode, true
		}
	case *ast.LiteralNode:
		out.quoted = true
		if x.Value != nil {
			out.text = x.Value.Value
		}
	case *ast.StringNode:
		tk := x.GetToken()
		out.text = x.Value
		out.quoted = tk.Type == token.SingleQuoteType || tk.Type == token.DoubleQuoteType
	default:
		// Numbers, booleans, infinities: the token holds what was written.
		tk := n.GetToken()
		if tk == nil {
			out.kind = nullNode
			return out
		}
		out.text = strings.TrimSpace(tk.Value)
	}
	return out
}

// fill adds the entries of a map. A key given twice is a fault; a merge adds
// what the map does not say itself.
func (b *builder) fill(out *node, values []*ast.MappingValueNode, depth int) {
	var merged []*node
	seen := make(map[string]*node, len(values))
	for _, v := range values {
		if v == nil || v.Key == nil {
			continue
		}
		var key ast.Node = v.Key
		if v.Key.IsMergeKey() {
			m := b.value(v, depth)
			line, col := place(key)
			at := &node{line: line, col: col}
			switch {
			case m.kind == mapNode:
				merged = append(merged, m)
			case m.kind == listNode:
				for _, item := range m.items {
					if item.kind == mapNode {
						merged = append(merged, item)
					} else {
						b.c.at(item, "yaml.merge", "", "<< merges groups of keys, not %s", item.describe())
					}
				}
			case m.told:
			default:
				b.c.at(at, "yaml.merge", "write <<: *name", "<< merges groups of keys, not %s", m.describe())
			}
			continue
		}
		if mk, ok := key.(*ast.MappingKeyNode); ok && mk.Value != nil {
			key = mk.Value
		}
		k := b.build(key, depth+1)
		if k.kind == nullNode && !k.told {
			k.kind = scalarNode // "~" and "null" as keys are texts
		}
		if k.kind != scalarNode {
			if !k.told {
				b.c.at(k, "yaml.key", "", "a key must be a text, not %s", k.describe())
			}
			continue
		}
		if first, twice := seen[k.text]; twice {
			b.c.at(k, "yaml.duplicate", "keep one of the two", "%q is given twice; first in line %d", k.text, first.line)
			b.value(v, depth)
			continue
		}
		seen[k.text] = k
		out.entries = append(out.entries, entry{k, b.value(v, depth)})
	}
	for _, m := range merged {
		for _, e := range m.entries {
			if b.nodes++; b.nodes > maxNodes {
				return
			}
			if _, own := seen[e.key.text]; !own {
				seen[e.key.text] = e.key
				out.entries = append(out.entries, e)
			}
		}
	}
}

func (b *builder) value(v *ast.MappingValueNode, depth int) *node {
	if v.Value == nil {
		line, col := place(v.Key)
		return &node{kind: nullNode, line: line, col: col}
	}
	n := b.build(v.Value, depth+1)
	if n.kind == nullNode && n.text == "null" {
		if tk := v.Value.GetToken(); tk != nil && tk.Type == token.ImplicitNullType {
			// Nothing was written: its key is the place to show.
			n.line, n.col = place(v.Key)
		}
	}
	return n
}
