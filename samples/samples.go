// Package samples holds example inputs, mappings and an account file. They
// are embedded, so that the program can hand them out and the tests can use them.
package samples

import "embed"

// FS holds the sample files by their names.
//
//go:embed *.csv *.xlsx *.yaml *.json
var FS embed.FS
