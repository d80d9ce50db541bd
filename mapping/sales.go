package mapping

import "slices"

// SalesActivity is the target that makes sales activities.
const SalesActivity Target = "sales-activity"

var salesActivity = spec{
	name: SalesActivity, many: "sales activities", lead: "ProspectId",
	takes: []string{"lead"},
	groups: []key{
		{name: "SalesActivity", shape: shapeSettings, keys: salesKeys, intro: "The members of a sales activity.", need: "in every sales activity", instead: "set target: sales-activity, or write LeadDetails and Opportunity",
			doc: "the sales activity", example: "{Status: Stage}"},
	},
	layout: []*group{inSales},
	parse:  (*parsing).sales,
	draft:  (*draft).sales,
}

var inSales = &group{label: "SalesActivity", part: OfSale, kind: ActivityField, fixed: salesKeys}

// salesKeys are the members of a sales activity. The account returns four of
// them as mx_Custom_1 to mx_Custom_4 (vendor's "sales activities by lead
// id"): the product as an id, the owner as a user's id.
var salesKeys = []key{
	{name: "ProspectId", shape: shapeField, types: []string{"text"}, need: "unless lead: is given", doc: "the lead's id", example: "Lead ID", unchanged: "it names another lead"},
	{name: "ProductSku", shape: shapeField, stored: "mx_Custom_1", lost: true, doc: "the product's SKU", example: "SKU"},
	{name: "Status", shape: shapeField, types: []string{"text"}, status: true, need: "yes", doc: "Open, Won or Lost", example: "{column: Stage, values: {Delivered: Won}, default: Open}", unchanged: "the account's update of a sales activity does not take the status"},
	{name: "Revenue", shape: shapeField, typ: "number", types: []string{"number", "integer"}, number: true, stored: "mx_Custom_2", doc: "the order's value; its type is number", example: "Amount"},
	{name: "SalesOwnerEmail", shape: shapeField, typ: "email", types: []string{"email", "text"}, stored: "mx_Custom_4", lost: true, doc: "the e-mail address of the user who sold; not together with SalesOwner", example: "Sales rep"},
	{name: "SalesOwner", shape: shapeField, stored: "mx_Custom_4", doc: "the id of the user who sold", example: "Owner ID"},
	{name: "SalesDate", shape: shapeField, typ: "datetime", types: []string{"datetime"}, stored: "mx_Custom_3", doc: "when it was sold; its type is datetime", example: "{column: Sold at, format: dd/MM/yyyy HH:mm}"},
	{name: customFieldKey, shape: shapeField, doc: "a custom field, from mx_Custom_5 on", example: "Invoice No"},
}

// sales reads SalesActivity and how its lead is found.
func (p *parsing) sales(top settings) {
	m := p.m
	n := top.values["SalesActivity"]
	if n == nil {
		if !top.written("SalesActivity") && !top.meant("SalesActivity") {
			p.at(top.at, "mapping.missing", "add SalesActivity: {Status: …}", "SalesActivity is missing")
		}
		n = &node{kind: mapNode, line: top.at.line, col: top.at.col}
	}
	s := p.group(n, "SalesActivity", salesKeys, nil)
	byName := map[string]*field{}
	for _, k := range salesKeys {
		if v := s.values[k.name]; v != nil {
			f := p.field(inSales, s.keys[k.name], v)
			byName[k.name] = f
			p.add(f)
		}
	}
	for _, e := range n.entries {
		if v := s.values[e.key.text]; v != nil && isSalesCustom(e.key.text) {
			p.add(p.field(inSales, e.key, v))
		}
	}
	if f := byName["Status"]; f != nil {
		p.mustHave(f, "the account asks for it")
	} else if !s.written("Status") && !s.meant("Status") && top.written("SalesActivity") {
		p.at(n, "mapping.missing", "add Status: {column: …} or Status: {value: Open}", "SalesActivity.Status is missing: the account asks for it")
	}
	if s.written("SalesOwner") && s.written("SalesOwnerEmail") {
		p.at(s.keys["SalesOwner"], "mapping.combination", "keep one of the two", "SalesOwner and SalesOwnerEmail cannot both be mapped")
	}
	prospect := byName["ProspectId"]
	switch {
	case s.written("ProspectId") && top.written("lead"):
		p.at(top.keys["lead"], "mapping.combination", "keep one of the two", "the lead is named by both lead: and SalesActivity.ProspectId")
	case prospect != nil:
		p.mustHave(prospect, "it names the lead")
		prospect.search = true
		if prospect.constant() {
			p.at(prospect.key, "mapping.combination", "take it from a column", "every row would belong to one lead: ProspectId is the same for all rows")
		}
	case s.written("ProspectId"):
	case top.values["lead"] != nil:
		p.lead(top.keys["lead"], top.values["lead"])
	case !top.written("lead") && !s.meant("ProspectId") && !top.meant("lead"):
		p.at(top.at, "mapping.missing", "add lead: {find_by: EmailAddress, column: …}, or map SalesActivity.ProspectId", "the mapping does not say whose sales activity a row is")
	}
	m.Lead.IfMissing = orElse(m.Lead.IfMissing, "reject")
	m.Lead.IfMany = orElse(m.Lead.IfMany, "reject")
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// MakesLead reports an attribute by which the account makes a lead that it
// does not find (vendor's page on capturing leads).
func MakesLead(attribute string) bool {
	return attribute == "EmailAddress" || attribute == "Phone" || attribute == "Mobile"
}

// lead reads the rule by which a sales activity's lead is found.
func (p *parsing) lead(at, n *node) {
	s := p.group(n, "lead", leadKeys, nil)
	rule := &p.m.Lead
	rule.IfMissing = s.text("if_missing")
	rule.IfMany = s.text("if_many")
	name := s.text("find_by")
	switch {
	case name == "":
		if !s.written("find_by") && !s.meant("find_by") {
			p.at(n, "mapping.missing", "add find_by: EmailAddress (or Phone, or another unique field)", "lead does not say what to find it by")
		}
	case isProspectID(name):
		p.at(s.values["find_by"], "mapping.combination", "write SalesActivity: {ProspectId: …}", "a lead's id needs no look-up")
	case !p.attributeName(s.values["find_by"]):
	case !isUniqueAttribute(name) && slices.Contains(leadAttributes, name) && name != "Mobile":
		p.at(s.values["find_by"], "mapping.search-by", "use EmailAddress, Phone or another unique field", "%s is no unique field: it cannot name a lead", name)
	default:
		rule.FindBy = name
		if rule.IfMissing == "create" && !MakesLead(name) {
			p.at(s.values["if_missing"], "mapping.combination", "find the lead by EmailAddress or Phone, or make the missing ones in the account first",
				"if_missing: create needs find_by EmailAddress, Phone or Mobile: the account makes no lead by %s", name)
		}
	}
	// The rule may say the same things as any field.
	rest := &node{kind: mapNode, line: n.line, col: n.col}
	for _, e := range n.entries {
		if findKey(fieldKeys, e.key.text) != nil {
			rest.entries = append(rest.entries, e)
		}
	}
	key := &node{kind: scalarNode, text: orElse(rule.FindBy, "lead"), line: at.line, col: at.col}
	quiet := newCollector(p.file, p.m.text) // the shapes of the settings have been told above
	f := (&parsing{collector: quiet, m: p.m, decimal: p.decimal}).field(inLeadRule, key, rest)
	told := map[[2]int]bool{}
	for _, q := range p.found {
		told[[2]int{q.Line, q.Column}] = true
	}
	for _, q := range quiet.found {
		if !told[[2]int{q.Line, q.Column}] {
			p.place(q.Line, q.Column, q.Code, q.Hint, q.Msg)
		}
	}
	if f == nil {
		return
	}
	p.mustHave(f, "it names the lead")
	f.search = true
	if f.constant() {
		p.at(f.key, "mapping.combination", "take it from a column", "every row would belong to one lead: lead is the same for all rows")
	}
	if rule.FindBy == "Phone" && f.typeName == "text" {
		p.warn("lead is found by Phone as written; with type: phone and a region it finds +91-9876543210")
	}
	p.m.leadRule = f
}
