package leadsquared

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
)

// get makes a read by GET.
func (c *Client) get(ctx context.Context, s Slot, path string, query ...string) (Outcome, any) {
	return c.do(ctx, s, getCall(path, query...))
}

func getCall(path string, query ...string) call {
	return call{method: http.MethodGet, path: path, query: values(query)}
}

// post makes a read by POST, as the API has many. A nil body is an empty one.
func (c *Client) post(ctx context.Context, s Slot, path string, body any, query ...string) (Outcome, any) {
	return c.do(ctx, s, postCall(path, body, query...))
}

func postCall(path string, body any, query ...string) call {
	var b []byte
	if body != nil {
		b, _ = json.Marshal(body)
	}
	return call{method: http.MethodPost, path: path, query: values(query), body: b}
}

func values(pairs []string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// misread turns the outcome of a read whose answer is not what was asked for
// into one that nobody takes for "nothing there".
func misread(o Outcome, what string) Outcome {
	o.Verdict, o.code, o.Message = InDoubt, codeUnexpected, "the answer is not "+what
	return o
}

// invalid is the outcome of a call that was not made because it makes no sense.
func invalid(what string) Outcome {
	return Outcome{Verdict: Rejected, code: codeInvalid, Message: what}
}

type paging struct {
	PageIndex int
	PageSize  int
}

type lookup struct {
	Name     string `json:"LookupName"`
	Value    string `json:"LookupValue"`
	Operator string `json:"SqlOperator"`
}

type columns struct {
	Include string `json:"Include_CSV"`
}

// pairsOf returns an object's members, or a list of pairs of a name and a value, as
// one map. It returns nil for anything else. The calls name the name differently.
func pairsOf(v any) map[string]string {
	if o, ok := v.(object); ok {
		return flat(o)
	}
	list, ok := v.([]any)
	if !ok {
		return nil
	}
	m := map[string]string{}
	for _, v := range list {
		o, ok := v.(object)
		if !ok {
			continue
		}
		if name := o.text("SchemaName", "Key", "Attribute"); name != "" {
			m[name] = fieldText(o.get("Value"))
		}
	}
	return m
}

// flat gives the scalar members of an object by their names as written; null is "".
func flat(o object) map[string]string {
	m := make(map[string]string, len(o.members))
	for _, n := range o.members {
		if n.other == nil && (n.value == nil || isScalar(n.value)) {
			m[n.name] = fieldText(n.value)
		}
	}
	return m
}

// fieldText is a field's value as text, untrimmed.
func fieldText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return text(v)
}
