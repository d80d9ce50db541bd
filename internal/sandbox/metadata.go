package sandbox

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
)

const (
	inputTime  = "2006-01-02 15:04:05"     // what the account takes (vendor's error-handling page)
	outputTime = "2006-01-02 15:04:05.000" // what it gives back
)

var statuses = []string{"Open", "Won", "Lost"}

// defaultOpportunityFields is the practice type's metadata: Status, Owner and
// mx_Custom_1 to mx_Custom_20, text but for an amount or two and two dates.
func defaultOpportunityFields() []Field {
	fields := []Field{
		{SchemaName: "Status", DisplayName: "Status", DataType: "Dropdown", Options: statuses},
		{SchemaName: "Owner", DisplayName: "Owner", DataType: "ActiveUsers"},
	}
	known := map[int]Field{
		1:  {DisplayName: "Opportunity Name", DataType: "String"},
		2:  {DisplayName: "Stage", DataType: "Dropdown", Options: []string{"Prospecting", "Negotiation", "Closed Won", "Closed Lost"}},
		3:  {DisplayName: "Source", DataType: "String"},
		4:  {DisplayName: "Loss Reason", DataType: "String"},
		5:  {DisplayName: "Description", DataType: "String", MaxLength: 2000},
		6:  {DisplayName: "Expected Deal Size", DataType: "Number"},
		7:  {DisplayName: "Actual Deal Size", DataType: "Number"},
		8:  {DisplayName: "Expected Closure Date", DataType: "Date"},
		10: {DisplayName: "Product", DataType: "Dropdown"},
		11: {DisplayName: "Next Call", DataType: "DateTime"},
		19: {DisplayName: "Status Comment", DataType: "String"},
		20: {DisplayName: "Account Reference", DataType: "String", ReadOnly: true},
	}
	for n := 1; n <= 20; n++ {
		f, ok := known[n]
		if !ok {
			f = Field{DisplayName: fmt.Sprintf("Custom %d", n), DataType: "String"}
		}
		f.SchemaName = fmt.Sprintf("mx_Custom_%d", n)
		fields = append(fields, f)
	}
	return fields
}

// markMandatory adds Options.Mandatory to what the fields say themselves, on a copy.
func markMandatory(fields []Field, mandatory []string) []Field {
	fields = slices.Clone(fields)
	for i, f := range fields {
		fields[i].Mandatory = f.Mandatory || slices.Contains(mandatory, f.SchemaName)
	}
	return fields
}

func defaultLeadFields(unique []string) []Field {
	fields := []Field{
		{SchemaName: "ProspectID", DisplayName: "Lead ID", DataType: "Text", ReadOnly: true},
		{SchemaName: "FirstName", DisplayName: "First Name", DataType: "Text"},
		{SchemaName: "LastName", DisplayName: "Last Name", DataType: "Text"},
		{SchemaName: "EmailAddress", DisplayName: "Email", DataType: "Email"},
		{SchemaName: "Phone", DisplayName: "Phone Number", DataType: "Phone", MaxLength: 50},
		{SchemaName: "Mobile", DisplayName: "Mobile Number", DataType: "Phone", MaxLength: 50},
		{SchemaName: "Company", DisplayName: "Company", DataType: "Text"},
		{SchemaName: "Source", DisplayName: "Lead Source", DataType: "Select", Options: []string{"Website", "Referral", "API"}},
		{SchemaName: "OwnerId", DisplayName: "Owner", DataType: "ActiveUsers"},
		{SchemaName: "CreatedOn", DisplayName: "Created On", DataType: "Date", ReadOnly: true},
		{SchemaName: "mx_City", DisplayName: "City", DataType: "Text"},
		{SchemaName: "mx_State", DisplayName: "State", DataType: "Text"},
		{SchemaName: "mx_Country", DisplayName: "Country", DataType: "Text"},
	}
	for _, u := range unique {
		if !slices.ContainsFunc(fields, func(f Field) bool { return f.SchemaName == u }) {
			fields = append(fields, Field{SchemaName: u, DisplayName: strings.ReplaceAll(strings.TrimPrefix(u, "mx_"), "_", " "), DataType: "Text"})
		}
	}
	return fields
}

func defaultSalesFields() []Field {
	fields := []Field{
		{SchemaName: "mx_Custom_1", DisplayName: "Product", DataType: "Product", Mandatory: true},
		{SchemaName: "mx_Custom_2", DisplayName: "Order Value", DataType: "Number", Mandatory: true},
		{SchemaName: "mx_Custom_3", DisplayName: "Sales Date", DataType: "DateTime", Mandatory: true},
		{SchemaName: "mx_Custom_4", DisplayName: "Sales Owner", DataType: "ActiveUsers", Mandatory: true},
		{SchemaName: "Status", DisplayName: "Status", DataType: "Dropdown", Mandatory: true, Options: statuses},
	}
	for n := 5; n <= 15; n++ {
		fields = append(fields, Field{SchemaName: fmt.Sprintf("mx_Custom_%d", n), DisplayName: fmt.Sprintf("Custom %d", n), DataType: "String"})
	}
	return fields
}

// typeOf finds an opportunity type; nil where the account has none of that code.
func (a *Account) typeOf(code int) *Type {
	for i := range a.o.Types {
		if a.o.Types[i].Code == code {
			return &a.o.Types[i]
		}
	}
	return nil
}

// checkValue says what is wrong with a value for its field; "" is nothing. Empty values pass.
func checkValue(f Field, value string) string {
	value = strings.TrimSpace(value)
	if value == "" {
		return ""
	}
	switch f.DataType {
	case "Number":
		if _, ok := decimal(value); !ok {
			return fmt.Sprintf("Invalid value '%s' for field '%s' of datatype 'Number'", value, f.SchemaName)
		}
	case "DateTime":
		if !isInputTime(value) {
			return fmt.Sprintf("Invalid value '%s' for field '%s': the format is yyyy-MM-dd HH:mm:ss", value, f.SchemaName)
		}
	case "Date":
		if _, err := time.Parse(time.DateOnly, value); err != nil && !isInputTime(value) {
			return fmt.Sprintf("Invalid value '%s' for field '%s': the format is yyyy-MM-dd HH:mm:ss", value, f.SchemaName)
		}
	}
	limit := f.MaxLength
	if limit == 0 {
		limit = 200
	}
	if n := len([]rune(value)); n > limit {
		return fmt.Sprintf("Value of field '%s' has %d characters: the maximum is %d", f.SchemaName, n, limit)
	}
	return ""
}

// isInputTime says whether s is exactly yyyy-MM-dd HH:mm:ss. time.Parse alone
// would also take a fraction of a second, which the vendor's page rules out.
func isInputTime(s string) bool {
	if len(s) != len(inputTime) {
		return false
	}
	_, err := time.Parse(inputTime, s)
	return err == nil
}

// decimal reads plain digits with at most one point and a leading minus.
func decimal(s string) (*big.Rat, bool) {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || len(digits) > 40 || strings.Trim(digits, "0123456789.") != "" {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

// shown is a value as reads give it back: trimmed, datetimes with
// milliseconds, numbers with two places.
func shown(f Field, value string) string {
	value = strings.TrimSpace(value)
	switch f.DataType {
	case "Number":
		if n, ok := decimal(value); ok {
			places := 2
			if _, fraction, ok := strings.Cut(value, "."); ok {
				places = max(places, len(strings.TrimRight(fraction, "0")))
			}
			return n.FloatString(places)
		}
	case "DateTime", "Date":
		if isInputTime(value) {
			return value + ".000"
		}
		if _, err := time.Parse(time.DateOnly, value); err == nil {
			return value + " 00:00:00.000"
		}
	}
	return value
}

// fieldOf finds a field's metadata; an unknown field is text.
func fieldOf(fields []Field, schemaName string) Field {
	for _, f := range fields {
		if f.SchemaName == schemaName {
			return f
		}
	}
	return Field{SchemaName: schemaName, DisplayName: schemaName, DataType: "String"}
}

type option struct {
	IsDefault bool
	Text      string
	Value     string
}

// optionSet is JSON within a JSON string, as the account has it.
func optionSet(values []string) string {
	if len(values) == 0 {
		return ""
	}
	var set []option
	for i, v := range values {
		set = append(set, option{IsDefault: i == 0, Value: v})
	}
	b, err := json.Marshal(set)
	if err != nil {
		return ""
	}
	return string(b)
}

type fieldAnswer struct {
	SchemaName     string
	InternalName   string
	DisplayName    string
	Value          *string
	DataType       string
	IsMandatory    bool
	ShowInForm     bool
	Sequence       int
	OptionSet      string
	IsReadOnly     bool
	MaxFieldLength int
}

func describe(f Field, sequence int) fieldAnswer {
	length := f.MaxLength
	if length == 0 {
		length = 200
	}
	return fieldAnswer{
		SchemaName: f.SchemaName, InternalName: f.SchemaName, DisplayName: f.DisplayName, DataType: f.DataType,
		IsMandatory: f.Mandatory, ShowInForm: true, Sequence: sequence, OptionSet: optionSet(f.Options),
		IsReadOnly: f.ReadOnly, MaxFieldLength: length,
	}
}

func (a *Account) getOpportunityTypes(*call) answer {
	type one struct {
		OpportunityEventCode int
		OpportunityEventName string
		Code                 int
		Name                 string
		DisplayName          string
		CanDelete            bool
	}
	list := []one{}
	for _, t := range a.o.Types {
		list = append(list, one{t.Code, t.Name, t.Code, t.Name, t.Name, t.CanDelete})
	}
	return ok(struct {
		RecordCount int
		List        []one
	}{len(list), list})
}

func (a *Account) getOpportunityTypeMetadata(c *call) answer {
	code := c.param("code")
	for _, t := range a.o.Types {
		if fmt.Sprint(t.Code) != code {
			continue
		}
		fields := []fieldAnswer{}
		for i, f := range t.Fields {
			fields = append(fields, describe(f, i+1))
		}
		return ok(struct {
			OpportunityEventCode int
			Code                 int
			Name                 string
			DisplayName          string
			Fields               []fieldAnswer
		}{t.Code, t.Code, t.Name, t.Name, fields})
	}
	return exception("MXInvalidInputException", fmt.Sprintf("Opportunity type with code '%s' does not exist", code))
}

func (a *Account) retrieveSetting(*call) answer {
	fields := []fieldAnswer{}
	for i, f := range a.o.SalesFields {
		fields = append(fields, describe(f, i+1))
	}
	return ok(struct {
		ID, Name, DisplayName                              string
		DefaultCurrencySymbol, DefaultCurrencyAbbreviation string
		ConvertToCustomer                                  bool
		Fields                                             []fieldAnswer
	}{"", "Sales Activity", "Sales Activity", "₹", "INR", true, fields})
}

func (a *Account) leadsMetaData(*call) answer {
	type one struct {
		SchemaName  string
		DisplayName string
		DataType    string
		IsMandatory bool
		IsReadOnly  bool
		IsUnique    bool
		MaxLength   int
		Options     *string
	}
	list := []one{}
	for _, f := range a.o.LeadFields {
		length := f.MaxLength
		if length == 0 {
			length = 200
		}
		m := one{SchemaName: f.SchemaName, DisplayName: f.DisplayName, DataType: f.DataType, IsMandatory: f.Mandatory, IsReadOnly: f.ReadOnly, MaxLength: length}
		m.IsUnique = f.SchemaName == "ProspectID" || slices.Contains(a.unique, f.SchemaName)
		if set := optionSet(f.Options); set != "" {
			m.Options = &set
		}
		list = append(list, m)
	}
	return ok(list)
}
