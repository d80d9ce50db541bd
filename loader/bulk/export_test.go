package bulk

import "testing"

// Believe makes lanes believe every answer as it is, without reading anything back.
func Believe(t *testing.T) {
	blind = true
	t.Cleanup(func() { blind = false })
}
