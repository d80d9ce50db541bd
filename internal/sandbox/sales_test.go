package sandbox

import (
	"fmt"
	"strings"
	"testing"
)

func saleJSON(leadID, rest string) string {
	return fmt.Sprintf(`{"ProspectId":%q,"ProductSku":"SKU-1","Status":"Won","Revenue":3,"SalesOwnerEmail":"rep@example.com","SalesDate":"2024-03-01 10:00:00"%s}`, leadID, rest)
}

func TestPostASalesActivity(t *testing.T) {
	a := newTester(t, Options{Users: []User{{ID: "u-1", Name: "Rep", Email: "rep@example.com"}}})
	v, err := a.AddLead(map[string]string{"EmailAddress": "a@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	r := a.post(salesPath+"Create", saleJSON(strings.ToUpper(v), `,"mx_Custom_5":" INV-7 "`))
	r.has(t, 200, `{"Status":"Success","Message":{"Id":"`)
	s := a.SalesActivities()
	if len(s) != 1 {
		t.Fatalf("%d sales activities", len(s))
	}
	got := s[0]
	if got.LeadID != v || got.ProductSku != "SKU-1" || got.Status != "Won" || got.Revenue != "3" || got.Owner != "rep@example.com" ||
		got.SalesDate != "2024-03-01 10:00:00" || got.Fields["mx_Custom_5"] != " INV-7 " || len(got.Fields) != 1 || !strings.Contains(r.body, got.ID) || len(got.Body) == 0 {
		t.Errorf("held %+v", got)
	}
	list := a.get(salesPath + "RetrieveByLeadId?leadId=" + v)
	list.has(t, 200, `"ID":"`+got.ID+`"`, `"SchemaName":"ProductName"`, `"Value":"SKU-1 - SKU-1"`,
		`"SchemaName":"mx_Custom_2","DisplayName":"Order Value","Value":"3.00"`,
		`"SchemaName":"mx_Custom_3","DisplayName":"Sales Date","Value":"2024-03-01 10:00:00.000"`,
		`"SchemaName":"mx_Custom_4","DisplayName":"Sales Owner","Value":"u-1"`,
		`"SchemaName":"mx_Custom_5","DisplayName":"Custom 5","Value":"INV-7"`,
		`"SchemaName":"Status","DisplayName":"Status","Value":"Won"`)
	if strings.Contains(list.body, "CreatedOn") {
		t.Error("RetrieveByLeadId shows CreatedOn")
	}
	var products struct {
		RecordCount int
		List        []struct{ ProductId, ProductSku, Name string }
	}
	a.post(salesPath+"RetrieveProducts", "").json(t, &products)
	if products.RecordCount != 1 || products.List[0].ProductSku != "SKU-1" || !strings.Contains(list.body, products.List[0].ProductId) {
		t.Errorf("products %+v", products)
	}
}

func TestSalesActivityRefuses(t *testing.T) {
	a := newTester(t, Options{Calls: NoLimit, Products: []Product{{SKU: "SKU-1", Name: "Loan"}}, Users: []User{{Email: "rep@example.com"}}})
	v, _ := a.AddLead(map[string]string{"EmailAddress": "a@example.com"})
	good := saleJSON(v, "")
	for _, c := range []struct {
		name, body string
		status     int
		part       string
	}{
		{"no lead", saleJSON("", ""), 500, "'ProspectId' is mandatory"},
		{"unknown lead", saleJSON(someGUID, ""), 500, "MXInvalidInputException"},
		{"lead id that is none", saleJSON("17", ""), 500, "MXInvalidInputException"},
		{"no status", strings.Replace(good, `"Status":"Won",`, "", 1), 500, "'Status' is mandatory"},
		{"unknown status", strings.Replace(good, "Won", "Sold", 1), 500, "Sold"},
		{"revenue as text", strings.Replace(good, `"Revenue":3`, `"Revenue":"3"`, 1), 400, "Revenue"},
		{"revenue true", strings.Replace(good, `"Revenue":3`, `"Revenue":true`, 1), 400, "Revenue"},
		{"revenue a list", strings.Replace(good, `"Revenue":3`, `"Revenue":[3]`, 1), 400, "Revenue"},
		{"unknown product", strings.Replace(good, "SKU-1", "SKU-2", 1), 500, "SKU-2"},
		{"unknown owner", strings.Replace(good, "rep@", "rap@", 1), 500, "rap@example.com"},
		{"sales date with milliseconds", strings.Replace(good, "10:00:00", "10:00:00.000", 1), 500, "SalesDate"},
		{"sales date with slashes", strings.Replace(good, "2024-03-01", "01/03/2024", 1), 500, "SalesDate"},
		{"custom field as a number", saleJSON(v, `,"mx_Custom_5":7`), 400, "mx_Custom_5"},
		{"custom field out of range", saleJSON(v, `,"mx_Custom_16":"x"`), 400, "mx_Custom_16"},
		{"unknown name", saleJSON(v, `,"Prize":"x"`), 400, "Prize"},
		{"a list", `[]`, 400, ""},
		{"null", `null`, 400, ""},
		{"not JSON", `{`, 400, ""},
	} {
		t.Run(c.name, func(t *testing.T) { a.post(salesPath+"Create", c.body).has(t, c.status, c.part) })
	}
	if n := len(a.SalesActivities()); n != 0 {
		t.Errorf("%d were created all the same", n)
	}
	a.post(salesPath+"Create", good).has(t, 200)
	a.post(salesPath+"Create", strings.Replace(good, `"Revenue":3`, `"Revenue":-1250.5`, 1)).has(t, 200)
	if got := a.SalesActivities()[1].Revenue; got != "-1250.5" {
		t.Errorf("revenue %q", got)
	}
}

func TestUpdateASalesActivity(t *testing.T) {
	a := newTester(t, Options{})
	v, _ := a.AddLead(map[string]string{"EmailAddress": "a@example.com"})
	a.post(salesPath+"Create", saleJSON(v, `,"mx_Custom_5":"INV-7"`)).has(t, 200)
	s := a.SalesActivities()[0]
	a.post(salesPath+"Update", fmt.Sprintf(`{"Id":%q,"Status":"Lost","Revenue":7.25}`, s.ID)).has(t, 200, s.ID)
	if got := a.SalesActivities()[0]; got.Status != "Lost" || got.Revenue != "7.25" || got.ProductSku != "SKU-1" || got.Fields["mx_Custom_5"] != "INV-7" {
		t.Errorf("held %+v", got)
	}
	a.post(salesPath+"Update", `{"Status":"Lost"}`).has(t, 500, "'Id' is mandatory")
	a.post(salesPath+"Update", fmt.Sprintf(`{"Id":%q,"Status":"Lost"}`, someGUID)).has(t, 500, "does not exist")
}

func TestSalesOfALeadNewestFirst(t *testing.T) {
	a := newTester(t, Options{})
	v, _ := a.AddLead(map[string]string{"EmailAddress": "a@example.com"})
	for i := range 3 {
		if _, err := a.AddSalesActivity(v, map[string]string{"Status": "Open", "ProductSku": fmt.Sprint("P", i)}); err != nil {
			t.Fatal(err)
		}
	}
	body := a.get(salesPath + "RetrieveByLeadId?leadId=" + v).body
	if i, j := strings.Index(body, "P2"), strings.Index(body, "P0"); i < 0 || j < i {
		t.Errorf("order in %s", body)
	}
	for _, nobody := range []string{someGUID, "17"} {
		if r := a.get(salesPath + "RetrieveByLeadId?leadId=" + nobody); r.body != "[]" {
			t.Errorf("lead %s has %s", nobody, r.body)
		}
	}
	a.get(salesPath+"RetrieveByLeadId").has(t, 500, "'leadId' is mandatory")
}

func TestProducts(t *testing.T) {
	a := newTester(t, Options{Products: []Product{{ID: "p1", SKU: "L-1", Name: "Home Loan"}, {SKU: "C-1", Name: "Card"}, {SKU: "L-2"}}})
	a.post(salesPath+"RetrieveProducts", "").has(t, 200, `"RecordCount":3`, `{"ProductId":"p1","ProductSku":"L-1","Name":"Home Loan"}`, `"Name":"L-2"`)
	a.post(salesPath+"RetrieveProducts", `{"Paging":{"PageIndex":2,"PageSize":2}}`).has(t, 200, `"RecordCount":3`, `"L-2"`)
	a.post(salesPath+"RetrieveProducts", `{"Parameter":{"SearchText":"LOAN"}}`).has(t, 200, `"RecordCount":1`, "L-1")
	a.post(salesPath+"RetrieveProducts", `[]`).has(t, 400)
}
