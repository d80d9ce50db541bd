package sandbox

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// saleBody is the body of a sales activity, by the vendor's names.
type saleBody struct {
	Id              text // Update alone
	ProspectId      text
	ProductSku      text
	Status          text
	Revenue         json.RawMessage
	SalesOwnerEmail text
	SalesOwner      text
	SalesDate       text
	custom          []pair
}

// parseSale reads the body. Custom fields go beside the others (assumed; the vendor's page shows none).
func parseSale(body []byte) (*saleBody, *refusal) {
	var names map[string]json.RawMessage
	if err := json.Unmarshal(body, &names); err != nil || names == nil {
		return nil, &refusal{bad: true, message: "the body is not a JSON object"}
	}
	b := &saleBody{}
	for _, one := range []struct {
		name string
		into any
	}{
		{"Id", &b.Id}, {"ProspectId", &b.ProspectId}, {"ProductSku", &b.ProductSku}, {"Status", &b.Status},
		{"SalesOwnerEmail", &b.SalesOwnerEmail}, {"SalesOwner", &b.SalesOwner}, {"SalesDate", &b.SalesDate},
	} {
		raw, given := names[one.name]
		if !given {
			continue
		}
		delete(names, one.name)
		if err := json.Unmarshal(raw, one.into); err != nil {
			return nil, &refusal{bad: true, message: fmt.Sprintf("%s: %v", one.name, err)}
		}
	}
	b.Revenue = names["Revenue"]
	delete(names, "Revenue")
	for n := 5; n <= 15; n++ {
		name := fmt.Sprintf("mx_Custom_%d", n)
		raw, given := names[name]
		if !given {
			continue
		}
		delete(names, name)
		var v text
		if err := json.Unmarshal(raw, &v); err != nil {
			return nil, &refusal{bad: true, message: fmt.Sprintf("%s: %v", name, err)}
		}
		b.custom = append(b.custom, pair{name, v})
	}
	for name := range names {
		return nil, &refusal{bad: true, message: fmt.Sprintf("unknown name %q", name)}
	}
	return b, nil
}

// checkSale looks at everything but the lead. whole is false for an update,
// which may leave mandatory fields out. The caller holds mu.
func (a *Account) checkSale(b *saleBody, whole bool) *refusal {
	if s := b.Status; s == "" && whole {
		return missing("Status")
	} else if s == "" {
		// The vendor's page of Update names no Status.
	} else if !slices.Contains(statuses, s) {
		return invalid("Status '%s' is not valid: accepted values are Open, Won and Lost", s)
	}
	if len(b.Revenue) > 0 && string(b.Revenue) != "null" {
		if c := b.Revenue[0]; c != '-' && (c < '0' || c > '9') {
			return &refusal{bad: true, message: "Revenue must be a number"}
		}
	}
	if d := b.SalesDate; d != "" && !isInputTime(d) {
		return invalid("SalesDate '%s' is not valid: the format is yyyy-MM-dd HH:mm:ss", d)
	}
	if sku := strings.TrimSpace(b.ProductSku); a.o.Products != nil && sku != "" {
		if _, known := a.products[sku]; !known {
			return invalid("Product with SKU '%s' does not exist", sku)
		}
	}
	for _, owner := range []string{b.SalesOwnerEmail, b.SalesOwner} {
		if owner != "" && a.o.Users != nil && !slices.ContainsFunc(a.o.Users, func(u User) bool {
			return strings.EqualFold(u.Email, owner) || u.ID == owner
		}) {
			return invalid("User '%s' does not exist", owner)
		}
	}
	if whole {
		for _, f := range a.o.SalesFields {
			if f.Mandatory && isCustom(f.SchemaName) && strings.TrimSpace(valueOf(b.custom, f.SchemaName)) == "" {
				return &refusal{kind: "MXInvalidActivityFieldsException", message: fmt.Sprintf("Field name : '%s' of datatype : '%s' is mandatory.", f.SchemaName, f.DataType)}
			}
		}
	}
	for _, p := range b.custom {
		if why := checkValue(fieldOf(a.o.SalesFields, p.name), p.value); why != "" {
			return invalid("%s", why)
		}
	}
	return nil
}

// isCustom says whether a schema name is one of the account's own sales fields;
// mx_Custom_1 to mx_Custom_4 are the vendor's, which the body has other names for.
func isCustom(schemaName string) bool {
	n, err := strconv.Atoi(strings.TrimPrefix(schemaName, "mx_Custom_"))
	return err == nil && n >= 5 && n <= 15
}

func (b *saleBody) pairs() []pair {
	out := []pair{}
	for _, p := range []pair{
		{"ProductSku", b.ProductSku}, {"Status", b.Status}, {"Revenue", string(b.Revenue)},
		{"SalesOwnerEmail", b.SalesOwnerEmail}, {"SalesOwner", b.SalesOwner}, {"SalesDate", b.SalesDate},
	} {
		if p.value != "" && p.value != "null" {
			out = append(out, p)
		}
	}
	return append(out, b.custom...)
}

func (a *Account) createSale(c *call) answer {
	b, no := parseSale(c.body)
	if no != nil {
		return no.answer()
	}
	if b.ProspectId == "" {
		return missing("ProspectId").answer()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drain()
	v, good := parseID(b.ProspectId)
	on, found := a.store.leadByID[v]
	if !good || !found {
		return invalid("Lead '%s' does not exist", b.ProspectId).answer()
	}
	if no := a.checkSale(b, true); no != nil {
		return no.answer()
	}
	a.addProduct(Product{SKU: strings.TrimSpace(b.ProductSku)})
	s := sale{id: a.newID(), lead: on, created: a.now().UnixNano(), call: c.record.Number, values: a.store.names.pack(b.pairs())}
	if !a.o.DropBodies {
		s.body = c.body
	}
	a.store.addSale(s)
	return success(s.id.String())
}

// updateSale takes the body of Create with an Id; what it leaves out stays as it was.
func (a *Account) updateSale(c *call) answer {
	b, no := parseSale(c.body)
	if no != nil {
		return no.answer()
	}
	if b.Id == "" {
		return missing("Id").answer()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	v, good := parseID(b.Id)
	at, found := a.store.saleByID[v]
	if !good || !found {
		return invalid("Sales activity '%s' does not exist", b.Id).answer()
	}
	if no := a.checkSale(b, false); no != nil {
		return no.answer()
	}
	a.changeSale(at, b.pairs(), a.o.User.Name, a.now())
	return success(b.Id)
}

// addProduct makes a product known. The caller holds mu, or is alone.
func (a *Account) addProduct(p Product) {
	if p.SKU == "" {
		return
	}
	if _, known := a.products[p.SKU]; known {
		return
	}
	if p.ID == "" {
		p.ID = a.newID().String()
	}
	if p.Name == "" {
		p.Name = p.SKU
	}
	a.products[p.SKU] = p
	a.skus = append(a.skus, p.SKU)
}

// salesOfLead leaves CreatedOn out, as the account does.
func (a *Account) salesOfLead(c *call) answer {
	if c.param("leadId") == "" {
		return missing("leadId").answer()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	list := []saleAnswer{}
	v, _ := parseID(c.param("leadId"))
	on, found := a.store.leadByID[v]
	if !found {
		return ok(list)
	}
	sales := a.store.leads[on].sales
	for i := len(sales) - 1; i >= 0; i-- {
		if !c.shows(a.store.sales[sales[i]].created) {
			continue
		}
		list = append(list, a.describeSale(a.lateSale(a.store.sales[sales[i]])))
	}
	return ok(list)
}

// saleByID answers with one sales activity. Its shape is that of the list (assumed).
func (a *Account) saleByID(c *call) answer {
	given := c.param("activityId")
	if given == "" {
		return missing("activityId").answer()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	v, _ := parseID(given)
	at, found := a.store.saleByID[v]
	if !found || !c.shows(a.store.sales[at].created) {
		return a.notThere("Sales activity", given)
	}
	return ok(a.describeSale(a.lateSale(a.store.sales[at])))
}

type saleField struct {
	SchemaName  string
	DisplayName *string
	Value       *string
	DataType    *string
	IsDerived   bool `json:",omitempty"`
}

type saleAnswer struct {
	ID          string
	Name        string
	DisplayName string
	Fields      []saleField
}

// describeSale is a sales activity as reads give it back. The caller holds mu.
func (a *Account) describeSale(s sale) saleAnswer {
	values := a.store.names.unpack(s.values)
	product := a.products[strings.TrimSpace(valueOf(values, "ProductSku"))]
	owner := valueOf(values, "SalesOwnerEmail")
	if owner == "" {
		owner = valueOf(values, "SalesOwner")
	}
	if owner == "" {
		owner = a.o.User.ID
	}
	given := map[string]string{
		"mx_Custom_1": product.ID, "mx_Custom_2": valueOf(values, "Revenue"), "mx_Custom_3": valueOf(values, "SalesDate"),
		"mx_Custom_4": a.userID(owner), "Status": valueOf(values, "Status"),
	}
	for _, p := range values {
		if strings.HasPrefix(p.name, "mx_") {
			given[p.name] = p.value
		}
	}
	out := saleAnswer{ID: s.id.String(), Name: "Sales Activity", DisplayName: "Sales Activity"}
	for _, f := range a.o.SalesFields {
		filled := saleField{SchemaName: f.SchemaName, DisplayName: &f.DisplayName, DataType: &f.DataType}
		if v := shown(f, given[f.SchemaName]); v != "" {
			filled.Value = &v
		}
		out.Fields = append(out.Fields, filled)
		if f.SchemaName == "mx_Custom_1" && product.ID != "" {
			label := product.Name + " - " + product.SKU
			out.Fields = append(out.Fields, saleField{SchemaName: "ProductName", Value: &label, IsDerived: true})
		}
	}
	return out
}

// userID turns an owner's e-mail address into an id where the account knows one.
func (a *Account) userID(owner string) string {
	for _, u := range append([]User{a.o.User}, a.o.Users...) {
		if strings.EqualFold(u.Email, owner) && u.ID != "" {
			return u.ID
		}
	}
	return owner
}

func (a *Account) retrieveProducts(c *call) answer {
	var b struct {
		Parameter *struct{ SearchText text }
		Paging    *paging
		Sorting   json.RawMessage
	}
	if len(c.body) > 0 {
		if no := decode(c.body, &b); no != nil {
			return no.answer()
		}
	}
	type one struct {
		ProductId  string
		ProductSku string
		Name       string
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	list := []one{}
	for _, sku := range a.skus {
		p := a.products[sku]
		if b.Parameter != nil && !strings.Contains(strings.ToLower(p.SKU+"\n"+p.Name), strings.ToLower(b.Parameter.SearchText)) {
			continue
		}
		list = append(list, one{p.ID, p.SKU, p.Name})
	}
	count := len(list)
	return ok(struct {
		RecordCount int
		List        []one
	}{count, page(list, b.Paging)})
}
