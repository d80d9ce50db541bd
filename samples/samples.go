// Package samples holds example inputs, mappings and an account file. They
// are embedded, so that the program can hand them out and the tests can use them.
// Each folder is an example that runs as it is.
package samples

import "embed"

// FS holds the sample files by their paths. They are named one by one, because
// a pattern would also embed whatever a run leaves in these folders.
//
//go:embed account.yaml mapping.schema.json
//go:embed opportunities/deals.csv opportunities/deals.yaml
//go:embed opportunities/faults.csv opportunities/faults.xlsx
//go:embed sales/sales.csv sales/sales.yaml
//go:embed cron/crontab cron/leadload.service cron/leadload.timer cron/task-scheduler.cmd
//go:embed project/leadload.yaml project/tell-mail.sh project/tell-webhook.sh project/tell-healthchecks.sh
var FS embed.FS
