package converter

// What the API takes as a value, in one place.
//
//   - DateTime is "yyyy-MM-dd HH:mm:ss", UTC, 24 hours, whole seconds (vendor's API pages).
//   - Date is "yyyy-MM-dd" (assumption: the vendor shows no date field in a request).
//   - Boolean is "true" or "false" (assumption, as above).
//   - Phone is "+91-9876543210": other shapes do not match on lookup (field report).
const (
	boolTrue  = "true"
	boolFalse = "false"
)

// appendDateTime writes seconds since 1970 as the API's timestamp.
func appendDateTime(b []byte, unix int64) []byte {
	days, secs := splitDay(unix)
	b = append(appendDate(b, days), ' ')
	return appendClock(b, secs)
}

// appendDate writes days since 1970 as the API's date.
func appendDate(b []byte, days int64) []byte {
	y, m, d := civil(days)
	b = append(b, byte('0'+y/1000%10), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10), '-')
	b = append(append2(b, m), '-')
	return append2(b, d)
}

func appendClock(b []byte, secs int) []byte {
	b = append(append2(b, secs/3600), ':')
	b = append(append2(b, secs/60%60), ':')
	return append2(b, secs%60)
}

func append2(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }
