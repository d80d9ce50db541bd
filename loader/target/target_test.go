package target

import (
	"testing"

	"leadload/loader/ledger"
	"leadload/mapping"
)

// TestEveryTarget says which target is still to be written.
func TestEveryTarget(t *testing.T) {
	scopes := map[Scope]mapping.Target{}
	for _, name := range mapping.Targets() {
		of, ok := Stored(string(name))
		if !ok {
			t.Errorf("target %s is not in the table", name)
			continue
		}
		if calls, ok := of.Calls(ledger.Create); !ok || calls.Max < 1 || calls.Make == nil {
			t.Errorf("target %s has no call that makes a record", name)
		}
		scope := of.Scope(&mapping.Mapping{Target: name, EventCode: 12000})
		if got := ParseScope(scope.String()); got != scope {
			t.Errorf("scope %+v of %s is read back as %+v", scope, name, got)
		}
		if other, taken := scopes[scope]; taken && !of.MakesLead() {
			t.Errorf("targets %s and %s share the scope %s: their keys would name one record", name, other, scope)
		}
		scopes[scope] = name
	}
	if len(table) != len(mapping.Targets()) {
		t.Errorf("the table has %d targets, the mapping %d", len(table), len(mapping.Targets()))
	}
}

func TestUnknownTarget(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an unknown target was taken for a known one")
		}
	}()
	For("unheard-of")
}
