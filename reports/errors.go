package reports

import (
	"fmt"

	"leadload/internal/fault"
)

// Error is a failure to make a results file. Its code is one of Codes.
type Error = fault.Fault

// Codes are the codes that an Error of this package can have.
var Codes = []fault.Code{
	"results.ending",  // neither .xlsx nor .csv
	"results.folder",  // the folder is missing or cannot be written
	"results.full",    // no space left
	"results.write",   // the file cannot be written for another reason
	"results.rows",    // the lines are not the rows that the run counted
	"results.metrics", // the metrics file cannot be written
}

// resultsFile is the place of a fault of a results file; path is as the user
// would name it.
func resultsFile(path string) fault.Place {
	return fault.Place{File: fmt.Sprintf("results file %q", path)}
}
