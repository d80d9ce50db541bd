package mapping

// Record is a row as the account will see it.
//
// The texts of Fields may lie in the memory of the row's cells: they are valid
// as long as those. All other texts are the record's own, but for those of a
// runner from Judge.
type Record struct {
	// Skipped reports that skip_when holds.
	Skipped bool
	// Key is the cleaned texts of the key columns joined by U+001F; "" without a key.
	Key string
	// KeyText is the key as people read it.
	KeyText string
	// Lead names the row's lead: the attribute by which it is found and its
	// normalised value, so that two spellings of one lead are equal. Rows of one
	// lead are sent one at a time.
	Lead string
	// LeadField and LeadValue are what the lead is looked up by, the value as the API takes it.
	LeadField, LeadValue string
	// LeadText is the value as an attribute of the lead has it: a phone as
	// +91-9876543210, where LeadValue has the digits alone.
	LeadText string
	// Body is the request body as JSON, its members always in the same order;
	// empty when there are Problems. A sales activity whose lead is to be found
	// has no ProspectId yet.
	Body []byte
	// Fields are the parts of Body by name, in the same order:
	// "LeadDetails.EmailAddress", "Opportunity.OpportunityNote",
	// "Fields.mx_Custom_1", "SalesActivity.Status".
	Fields []Field
	// KeyFields are the names in Fields that carry nothing but a key column,
	// so that their values alone identify the record in the account. There are
	// none unless every key column has one.
	KeyFields []string
	// Constants are the names in Fields whose value is the same in every row.
	Constants []string
	// Empty are the schema names of the record's custom fields (mx_…) that a column
	// fills and that this row leaves out. They are not looked for where KeyFields
	// identify the record, nor by a runner from Judge.
	Empty []string
	// Problems are all faults of the row. A row with any is not sent.
	Problems []RowProblem
}

// Field is one value of a request body.
type Field struct{ Name, Value string }

// RowProblem is a fault of one row.
type RowProblem struct {
	Column string // the input's column; "" is the row as a whole
	Field  string // the field of the request body
	Code   string
	Msg    string // what is wrong with which text: lower case, no full stop
	Hint   string
}

// reset empties the record and keeps its memory.
func (r *Record) reset() {
	*r = Record{Body: r.Body[:0], Fields: r.Fields[:0], Empty: r.Empty[:0], Problems: r.Problems[:0]}
}
