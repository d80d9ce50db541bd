package leadsquared

// The API's paths, each named once. Sync paths are those of the vendor's
// reference; SalesActivity RetrieveByLeadId is known from field reports.
const (
	pathCapture            = "/v2/OpportunityManagement.svc/Capture"
	pathOpportunitiesOf    = "/v2/OpportunityManagement.svc/GetOpportunitiesOfLead"
	pathOpportunitiesBy    = "/v2/OpportunityManagement.svc/GetOpportunitiesByUniqueLeadField"
	pathOpportunity        = "/v2/OpportunityManagement.svc/GetOpportunityDetails"
	pathOpportunityUpdate  = "/v2/OpportunityManagement.svc/Update"
	pathOpportunityDelete  = "/v2/OpportunityManagement.svc/Delete"
	pathOpportunitiesByID  = "/v2/OpportunityManagement.svc/GetOpportunitiesById"
	pathBulkAdd            = "/v2/OpportunityManagement.svc/Bulk/Add/ByLeadField"
	pathBulkUpdate         = "/v2/OpportunityManagement.svc/Bulk/Update/ByOpportunityId"
	pathOpportunityTypes   = "/v2/OpportunityManagement.svc/GetOpportunityTypes"
	pathOpportunityMeta    = "/v2/OpportunityManagement.svc/GetOpportunityTypeMetadata"
	pathSaleCreate         = "/v2/SalesActivity.svc/Create"
	pathSaleUpdate         = "/v2/SalesActivity.svc/Update"
	pathSaleCancel         = "/v2/SalesActivity.svc/Cancel"
	pathSale               = "/v2/SalesActivity.svc/RetrieveActivity"
	pathSalesOf            = "/v2/SalesActivity.svc/RetrieveByLeadId"
	pathSaleSetting        = "/v2/SalesActivity.svc/RetrieveSetting"
	pathProducts           = "/v2/SalesActivity.svc/RetrieveProducts"
	pathTrail              = "/v2/ProspectActivity.svc/Retrieve"
	pathRecentlyModified   = "/v2/ProspectActivity.svc/RetrieveRecentlyModified"
	pathByActivityEvent    = "/v2/ProspectActivity.svc/CustomActivity/RetrieveByActivityEvent"
	pathLeadCapture        = "/v2/LeadManagement.svc/Lead.Capture"
	pathLeadUpdate         = "/v2/LeadManagement.svc/Lead.Update"
	pathLeadsByEmail       = "/v2/LeadManagement.svc/Leads.GetByEmailaddress"
	pathLeadsByPhone       = "/v2/LeadManagement.svc/RetrieveLeadByPhoneNumber"
	pathLeadByID           = "/v2/LeadManagement.svc/Leads.GetById"
	pathLeadsBy            = "/v2/LeadManagement.svc/Leads.Get"
	pathLeadFields         = "/v2/LeadManagement.svc/LeadsMetaData.Get"
	pathSelf               = "/v2/Authentication.svc/UserByAccessKey.Get"
	pathCheckIn            = "/v2/UserManagement.svc/User/CheckIn" // by symmetry with CheckOut; not on the vendor's page
	pathCheckOut           = "/v2/UserManagement.svc/User/CheckOut"
	pathCheckedIn          = "/v2/UserManagement.svc/User/CheckinStatus"
	pathSubmit             = "/opportunity/capture" // async host, no /v2
	defaultPathTaskStatus  = "/opportunity/capture/status"
	defaultPathTaskMetrics = "/opportunity/capture/metrics"
)

// Making is a call that makes one record.
type Making struct {
	path  string
	kind  kind
	async bool
}

// The calls that make one record.
var (
	MakeOpportunity   = Making{path: pathCapture, kind: kindCapture}            // and its lead, where SearchBy matches none
	QueueOpportunity  = Making{path: pathSubmit, kind: kindSubmit, async: true} // the account makes it later
	MakeSalesActivity = Making{path: pathSaleCreate, kind: kindSale}
)
