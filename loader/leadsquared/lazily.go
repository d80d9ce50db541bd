package leadsquared

import (
	"regexp"
	"sync"
)

// lazily compiles an expression when it is first needed: most runs need few of
// them, and together they take longer than all else that the package does at start.
func lazily(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
