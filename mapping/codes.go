package mapping

// Codes are all codes that a Problem or RowProblem of this package can have.
// They are stable: they stand in results files and in people's scripts. A
// RowProblem may also have one of package converter. The catalogue of package
// fault has a sentence and the advice for each.
var Codes = []string{
	"yaml.encoding", "yaml.empty", "yaml.size", "yaml.syntax", "yaml.tab", "yaml.depth", "yaml.documents",
	"yaml.anchor", "yaml.tag", "yaml.merge", "yaml.key", "yaml.duplicate", "mapping.shape", "mapping.version",
	"mapping.target", "mapping.unknown-key", "mapping.empty", "mapping.fill-in", "mapping.choice", "mapping.range",
	"mapping.repeated", "mapping.missing", "mapping.combination", "mapping.timezone", "mapping.type", "mapping.format",
	"mapping.setting", "mapping.constant", "mapping.status", "mapping.event-code", "mapping.field-name",
	"mapping.search-by", "mapping.unknown-column", "mapping.duplicate-column", "expr.syntax", "expr.long", "expr.type",
	"cases.shape", "cases.column", "expr.failed", "row.required", "row.failed", "key.empty", "lead.empty",
	"status.unknown", "event-code.range", "timezone.empty", "timezone.unknown",
}
