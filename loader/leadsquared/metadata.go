package leadsquared

import (
	"context"
	"math"
	"strconv"
	"strings"
)

// Self is who the keys belong to.
type Self struct {
	ID       string
	Name     string
	Email    string
	Role     string
	TimeZone string // IANA, such as Asia/Kolkata
	Org      string // OrgDisplayName
	OrgID    string
	APIHost  string // the host for all other calls; "" where the answer names none of the vendor's
}

// Self asks who the keys belong to (UserByAccessKey.Get). The call works on every
// regional host, unlike all others, and names the right one. The vendor's own
// example has the e-mail address under PassPhrase and null under EmailAddress.
func (c *Client) Self(ctx context.Context, s Slot) (Self, Outcome) {
	o, doc := c.get(ctx, s, pathSelf)
	if o.Verdict != Applied {
		return Self{}, o
	}
	top, _ := doc.(object)
	u := Self{
		ID:       identifier(top.get("Id", "UserId")),
		Name:     top.text("Name", "FirstName"),
		Email:    top.text("EmailAddress"),
		Role:     top.text("Role"),
		TimeZone: top.text("TimeZone"),
		Org:      top.text("OrgDisplayName"),
		OrgID:    identifier(top.get("OrgId")),
	}
	if p := top.text("PassPhrase"); u.Email == "" && strings.Contains(p, "@") {
		u.Email = p
	}
	if u.Email == "" && u.OrgID == "" && u.Org == "" {
		return Self{}, misread(o, "a user")
	}
	if urls, ok := top.object("LSQCommonServiceURLs"); ok {
		host := urls.text("api", "API", "ApiURL", "APIURL")
		// Whoever is told another host sends the keys there: only the vendor's own count.
		if base, err := parseHost(host, syncHost); err == nil && strings.HasSuffix(base, ".leadsquared.com") {
			u.APIHost = bareHost(base)
		}
	}
	return u, o
}

// Field is one field of the account's schema.
type Field struct {
	SchemaName  string
	DisplayName string
	DataType    string
	Mandatory   bool
	ReadOnly    bool
	MaxLength   int      // in characters; 0: not stated
	Options     []string // values of a dropdown; empty for custom dropdowns more often than not
}

// OpportunityType is one kind of opportunity.
type OpportunityType struct {
	Code int
	Name string
	// CanDelete says that opportunities of the type may be deleted; false also
	// where the account does not say.
	CanDelete bool
}

// OpportunityTypes lists the account's types of opportunity (GetOpportunityTypes).
func (c *Client) OpportunityTypes(ctx context.Context, s Slot) ([]OpportunityType, Outcome) {
	o, doc := c.get(ctx, s, pathOpportunityTypes)
	if o.Verdict != Applied {
		return nil, o
	}
	list, total, ok := rows(doc, "List", "OpportunityTypes", "Types")
	if !ok || total > len(list) {
		return nil, misread(o, "the list of opportunity types")
	}
	all := make([]OpportunityType, 0, len(list))
	for _, v := range list {
		row, _ := v.(object)
		code, ok := row.integer("EventCode", "OpportunityEventCode", "Code", "ActivityEvent", "OpportunityEvent", "OpportunityTypeCode")
		if !ok {
			return nil, misread(o, "the list of opportunity types: one has no code")
		}
		all = append(all, OpportunityType{code, row.text("DisplayName", "Name", "OpportunityName", "OpportunityTypeName", "ActivityEventName"), row.flag("CanDelete", "AllowDelete")})
	}
	return all, o
}

// OpportunityTypeMetadata lists the fields of a type of opportunity (GetOpportunityTypeMetadata).
func (c *Client) OpportunityTypeMetadata(ctx context.Context, s Slot, eventCode int) ([]Field, Outcome) {
	o, doc := c.get(ctx, s, pathOpportunityMeta, "code", strconv.Itoa(eventCode))
	return fields(o, doc)
}

// SalesActivitySettings lists the fields of a sales activity (RetrieveSetting).
func (c *Client) SalesActivitySettings(ctx context.Context, s Slot) ([]Field, Outcome) {
	o, doc := c.get(ctx, s, pathSaleSetting)
	return fields(o, doc)
}

// LeadFields lists the fields of a lead (LeadsMetaData.Get).
func (c *Client) LeadFields(ctx context.Context, s Slot) ([]Field, Outcome) {
	o, doc := c.get(ctx, s, pathLeadFields)
	return fields(o, doc)
}

func fields(o Outcome, doc any) ([]Field, Outcome) {
	if o.Verdict != Applied {
		return nil, o
	}
	if l, ok := doc.([]any); ok && len(l) == 1 {
		if one, ok := l[0].(object); ok && one.has("Fields") {
			doc = one
		}
	}
	list, total, ok := rows(doc, "Fields", "List")
	// A schema without any field is no schema.
	if !ok || len(list) == 0 || total > len(list) {
		return nil, misread(o, "a list of fields")
	}
	all := make([]Field, 0, len(list))
	for _, v := range list {
		row, _ := v.(object)
		f := Field{
			SchemaName:  row.text("SchemaName"),
			DisplayName: row.text("DisplayName"),
			DataType:    row.text("DataType"),
			Mandatory:   row.flag("IsMandatory"),
			ReadOnly:    row.flag("IsReadOnly"),
			Options:     options(row.get("OptionSet", "Options")),
		}
		if n, ok := row.integer("MaxFieldLength", "MaxLength"); ok && n > 0 {
			f.MaxLength = n
		}
		if f.SchemaName == "" {
			return nil, misread(o, "a list of fields: one has no SchemaName")
		}
		all = append(all, f)
	}
	return all, o
}

// options reads the values of a dropdown: a list of {"Value":…} or of texts,
// often as JSON inside a string.
func options(v any) []string {
	if s, ok := v.(string); ok {
		if strings.TrimSpace(s) == "" {
			return nil
		}
		v, _ = parseJSON([]byte(s))
	}
	var all []string
	for _, item := range asList(v) {
		value := text(item)
		if o, ok := item.(object); ok {
			value = o.text("Value", "Text")
		}
		if value != "" {
			all = append(all, value)
		}
	}
	return all
}

// Product is a product of the account's list.
type Product struct{ ID, Sku, Name string }

// ProductPage is a page of products.
type ProductPage struct {
	Total int // RecordCount: of all pages
	List  []Product
}

// ProductRows is the size of a page of products.
const ProductRows = 200

// Products lists products (RetrieveProducts), from page 1. A page that holds
// less than ProductRows is the last one; Total is the account's own count.
func (c *Client) Products(ctx context.Context, s Slot, page int) (ProductPage, Outcome) {
	page = max(page, 1)
	o, doc := c.post(ctx, s, pathProducts, struct {
		Parameter struct{ SearchText string }
		Paging    paging
	}{Paging: paging{page, ProductRows}})
	if o.Verdict != Applied {
		return ProductPage{}, o
	}
	if top, ok := doc.(object); ok && page > 1 {
		if n, _ := top.integer("RecordCount"); n > 0 && n <= (page-1)*ProductRows && len(asList(top.get("List"))) == 0 {
			return ProductPage{Total: n}, o // past the end
		}
	}
	list, total, ok := rows(doc, "List", "Products")
	if !ok {
		return ProductPage{}, misread(o, "a list of products")
	}
	p := ProductPage{Total: max(total, len(list))}
	for _, v := range list {
		row, _ := v.(object)
		pr := Product{ID: identifier(row.get("ProductId", "Id")), Sku: row.text("ProductSku", "Sku"), Name: row.text("Name", "ProductName")}
		if pr.ID == "" && pr.Sku == "" {
			return ProductPage{}, misread(o, "a list of products: one has neither id nor SKU")
		}
		p.List = append(p.List, pr)
	}
	return p, o
}

// decimal reads a number for display; 0 where there is none.
func decimal(v any) float64 {
	f, err := strconv.ParseFloat(text(v), 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0
	}
	return f
}
