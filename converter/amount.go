package converter

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// amount is a number on its way out of its decoration.
type amount struct {
	core              string // digits and separators
	negative, percent bool
}

// undress takes signs, parentheses, a currency and a percent sign off a
// number. Each may be there once.
func undress(s string) (a amount, ok bool) {
	var signs, parens, currencies int
	for {
		s = strings.TrimFunc(s, isSpace)
		if s == "" {
			return a, false
		}
		if n := len(s); n > 2 && s[0] == '(' && s[n-1] == ')' {
			s = s[1 : n-1]
			parens++
			a.negative = true
			continue
		}
		if t, ok := strings.CutSuffix(s, "/-"); ok { // Indian: rupees and no paise
			s = t
			currencies++
			continue
		}
		if t, ok := cutMinus(s); ok {
			s = t
			signs++
			a.negative = true
			continue
		}
		if s[0] == '+' {
			s = s[1:]
			signs++
			continue
		}
		if t, ok := strings.CutSuffix(s, "%"); ok {
			if a.percent {
				return a, false
			}
			a.percent = true
			s = t
			continue
		}
		if t, ok := cutCurrency(s); ok {
			s = t
			currencies++
			continue
		}
		break
	}
	a.core = s
	// "₹500/-" has the rupee twice, as people write it.
	return a, signs+parens <= 1 && currencies <= 2 && !(currencies > 0 && a.percent)
}

// cutMinus takes a minus off either end; U+2212 is the one of typesetters.
func cutMinus(s string) (string, bool) {
	for _, minus := range [...]string{"-", "\u2212"} {
		if t, ok := strings.CutPrefix(s, minus); ok {
			return t, true
		}
		if t, ok := strings.CutSuffix(s, minus); ok {
			return t, true
		}
	}
	return s, false
}

// cutCurrency takes a currency's sign, code or abbreviation off either end.
func cutCurrency(s string) (string, bool) {
	if r, n := utf8.DecodeRuneInString(s); unicode.Is(unicode.Sc, r) {
		return s[n:], true
	}
	if r, n := utf8.DecodeLastRuneInString(s); unicode.Is(unicode.Sc, r) {
		// "5 US$": the letters before the sign belong to it.
		rest := s[:len(s)-n]
		if t, ok := cutWordEnd(rest, dollars); ok {
			return t, true
		}
		return rest, true
	}
	i := 0
	for i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		if !unicode.IsLetter(r) {
			break
		}
		i += n
	}
	if i > 0 {
		word, rest := strings.ToUpper(s[:i]), s[i:]
		if t, ok := strings.CutPrefix(rest, "$"); ok && dollars[word] {
			return t, true
		}
		if currencies[word] {
			return strings.TrimPrefix(rest, "."), true
		}
		return s, false
	}
	if t, ok := strings.CutSuffix(s, "."); ok {
		if u, ok := cutWordEnd(t, currencies); ok {
			return u, true
		}
		return s, false
	}
	return cutWordEnd(s, currencies)
}

func cutWordEnd(s string, known map[string]bool) (string, bool) {
	i := len(s)
	for i > 0 {
		r, n := utf8.DecodeLastRuneInString(s[:i])
		if !unicode.IsLetter(r) {
			break
		}
		i -= n
	}
	if i < len(s) && known[strings.ToUpper(s[i:])] {
		return s[:i], true
	}
	return s, false
}

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// dollars are the letters that stand before a dollar sign.
var dollars = wordSet("US A AU C CA HK NZ S SG NT R MX")

// currencies are the codes of ISO 4217 and the abbreviations in everyday use.
var currencies = wordSet(`
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP
CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR
ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN
MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD
SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW
RS RE KR ZŁ KČ FT DHS DH KSH TK RM`)
