package chain

import (
	"path"
	"strings"

	"github.com/entente-project/entente"
)

// validLEI checks a legal entity identifier by ISO 17442: 18 letters and digits
// and two check digits (ISO 7064, mod 97-10).
func validLEI(s string) error {
	if len(s) != 20 {
		return entente.Invalid("the LEI %.40q has %d characters instead of 20", s, len(s))
	}
	rest := 0
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			rest = (rest*10 + int(c-'0')) % 97
		case c >= 'A' && c <= 'Z' && i < 18:
			rest = (rest*100 + int(c-'A') + 10) % 97
		default:
			return entente.Invalid("the LEI %q may hold only A-Z and 0-9, and ends with two digits", s)
		}
	}
	if rest != 1 {
		return entente.Invalid("the check digits of the LEI %q are wrong: compare it with the register at gleif.org", s)
	}
	return nil
}

// validDomain checks a DNS name as maps hold it: lower case, ASCII, at least two
// labels, without scheme, path and closing dot.
func validDomain(s string) error {
	bad := entente.Invalid("%.80q is not a domain; write for example example.com, in lower case and without https://", s)
	if len(s) > 253 || !strings.Contains(s, ".") {
		return bad
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return bad
		}
		for i := range len(label) {
			c := label[i]
			if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-') {
				return bad
			}
		}
	}
	return nil
}

// validEmail is a sanity check only: mail systems decide in the end.
func validEmail(s string) error {
	local, domain, found := strings.Cut(s, "@")
	if !found || local == "" || len(s) > 254 || strings.ContainsAny(s, " \t\n<>,;") ||
		validDomain(strings.ToLower(domain)) != nil {
		return entente.Invalid("%.80q is not an e-mail address", s)
	}
	return nil
}

// validCountry checks an ISO 3166-1 alpha-2 code (and XK, in wide use for Kosovo).
func validCountry(s string) error {
	if len(s) != 2 || !listed(countries, s) {
		return entente.Invalid("%.20q is not a country code of ISO 3166-1 (two capital letters, such as DE)", s)
	}
	return nil
}

// validCurrency checks an ISO 4217 code.
func validCurrency(s string) error {
	if len(s) != 3 || !listed(currencies, s) {
		return entente.Invalid("%.20q is not a currency code of ISO 4217 (three capital letters, such as EUR)", s)
	}
	return nil
}

// listed says whether code stands in a list of codes of one length with a space
// behind each.
func listed(list, code string) bool {
	i := strings.Index(list, code+" ")
	return i >= 0 && i%(len(code)+1) == 0
}

const countries = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ " +
	"BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ " +
	"CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ " +
	"DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR " +
	"GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU " +
	"ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ " +
	"LA LB LC LI LK LR LS LT LU LV LY " +
	"MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ " +
	"NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY " +
	"QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ " +
	"TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ " +
	"VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW "

const currencies = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN " +
	"BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD " +
	"CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR " +
	"FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK " +
	"JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD " +
	"MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD " +
	"OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF " +
	"SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL " +
	"THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST " +
	"XAF XCD XCG XOF XPF YER ZAR ZMW ZWG "

// validPattern checks a file name or pattern that binds SBOMs to a product.
func validPattern(s string) error {
	if _, err := path.Match(s, ""); err != nil {
		return entente.Invalid("%.80q is not a file name or pattern: a bracket is not closed, or nothing follows a backslash", s)
	}
	if strings.HasPrefix(s, "/") || strings.Contains("/"+s+"/", "/../") {
		return entente.Invalid("%.80q must stay inside the folder of SBOMs", s)
	}
	return nil
}
