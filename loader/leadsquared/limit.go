package leadsquared

import (
	"strconv"
	"strings"
	"time"
)

// vendorLimitType is the exception type of a call over the limit.
const vendorLimitType = "MXAPIRateLimitExceededException"

// The account refuses a call over its limit with the words "API calls exceeded
// the limit of 25 in 5 second(s)" (vendor's response-code tables), under
// 200, 403, 429 or 500 (field reports). These words at the beginning and the
// exception type are all that the vendor documents: only they prove that the
// call was not applied. Daily caps exist (rate-limit page); how
// they are worded is not published, so every unit of time is understood.
//
// limitInside and limitSmell find other words about a limit.
var (
	vendorLimit = lazily(`(?i)^[\s"'\x{feff}]*api\s+calls\s+exceeded\s+the\s+limit\s+of\s+\d`)
	limitSmell  = lazily(`(?i)throttl|slow\s*down|too\s+many\s+(?:\w+\s+)?(?:requests|calls)|\brate\s+(?:limit|exceeded)|\bquota\b|\b(?:api|calls?|requests?)\s+(?:\w+\s+)?limit\b`)
	limitInside = lazily(`(?i)api\s+(?:calls?|requests?)\s+(?:\w+\s+){0,2}?exceed\w*\s+(?:\w+\s+){0,3}?limit` +
		`|rate[\s_-]*limit\w*\s+(?:\w+\s+){0,3}?(?:exceed|reach|hit)` +
		`|(?:exceed\w*|reach\w*|hit|over)\s+(?:\w+\s+){0,3}?rate[\s_-]*limit` +
		`|too\s+many\s+(?:api\s+)?(?:requests|calls)` +
		`|daily\s+(?:api\s+)?(?:calls?|requests?|api)\s+(?:limit|quota)` +
		`|api\s+(?:calls?\s+|requests?\s+)?daily\s+(?:limit|quota)` +
		`|daily\s+(?:limit|quota)\s+(?:\S+\s+){0,3}?(?:api|calls?|requests?)`)
	statedLimit = lazily(`(?i)(?:limit|quota|maximum)\s+(?:of\s+|is\s+|:\s*)?(\d[\d,]{0,14})\s*(?:api\s+)?(?:calls?\s*|requests?\s*)?(?:in|per|every|within|for|/|a)\s*(?:a\s+|an\s+|one\s+|the\s+|last\s+|every\s+)*(\d{1,9})?\s*(second|sec|minute|min|hour|hr|day|month)`)
	statedCalls = lazily(`(?i)(?:limit|quota|maximum)\s*(?:of\s+|is\s+|:\s*|\(\s*)?(\d[\d,]{0,14})`)
	dailyWord   = lazily(`(?i)\b(?:daily|per\s+day|a\s+day|for\s+the\s+day|today)\b`)
)

var limitUnits = map[string]time.Duration{
	"second": time.Second, "sec": time.Second,
	"minute": time.Minute, "min": time.Minute,
	"hour": time.Hour, "hr": time.Hour,
	"day": 24 * time.Hour, "month": 30 * 24 * time.Hour,
}

// limitType reports that an exception type speaks of too many calls.
// "Limit" alone does not do: a text over its length limit is a refused row.
func limitType(t string) bool {
	t = strings.ToLower(t)
	return strings.Contains(t, "ratelimit") || strings.Contains(t, "toomanyrequests") || strings.Contains(t, "throttl") ||
		strings.Contains(t, "api") && strings.Contains(t, "limit") && strings.Contains(t, "exceed")
}

// parseLimit reads the limit that a message states; zeros where it states none.
func parseLimit(msg string) (calls int, window time.Duration) {
	if m := statedLimit().FindStringSubmatch(msg); m != nil {
		n := 1
		if m[2] != "" {
			n, _ = strconv.Atoi(m[2])
		}
		unit := limitUnits[strings.ToLower(m[3])]
		calls = limitCalls(m[1])
		if calls == 0 || n < 1 || n > int(400*24*time.Hour/unit) {
			return 0, 0
		}
		return calls, time.Duration(n) * unit
	}
	if dailyWord().MatchString(msg) {
		if m := statedCalls().FindStringSubmatch(msg); m != nil {
			calls = limitCalls(m[1])
		}
		return calls, 24 * time.Hour
	}
	return 0, 0
}

func limitCalls(digits string) int {
	n, err := strconv.Atoi(strings.ReplaceAll(digits, ",", ""))
	if err != nil || n > 1e9 {
		return 0
	}
	return n
}
