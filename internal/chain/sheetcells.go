package chain

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/entente-project/entente"
)

// The parsers of cells take what people write, and say in plain words what they
// cannot take.

var durationPart = regexp.MustCompile(`^\s*([0-9]+(?:[.,][0-9]+)?)\s*([\p{L}]*)\.?\s*(?:,|and|und)?\s*`)

var durationUnits = map[string]time.Duration{
	"s": time.Second, "sec": time.Second, "secs": time.Second, "second": time.Second, "seconds": time.Second,
	"m": time.Minute, "min": time.Minute, "mins": time.Minute, "minute": time.Minute, "minutes": time.Minute, "minuten": time.Minute,
	"h": time.Hour, "hr": time.Hour, "hrs": time.Hour, "hour": time.Hour, "hours": time.Hour, "std": time.Hour, "stunde": time.Hour, "stunden": time.Hour,
	"d": 24 * time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour, "tag": 24 * time.Hour, "tage": 24 * time.Hour,
	"w": 7 * 24 * time.Hour, "week": 7 * 24 * time.Hour, "weeks": 7 * 24 * time.Hour, "woche": 7 * 24 * time.Hour, "wochen": 7 * 24 * time.Hour,
}

// cellDuration reads a duration; unit is what a plain number counts, or 0.
func cellDuration(s string, unit time.Duration) (time.Duration, error) {
	var total time.Duration
	for rest := strings.ToLower(strings.TrimSpace(s)); rest != ""; {
		part := durationPart.FindStringSubmatch(rest)
		if part == nil {
			return 0, entente.Invalid("%.40q is not a duration; write for example 30 min, 8h or 2 days", s)
		}
		n, err := strconv.ParseFloat(strings.Replace(part[1], ",", ".", 1), 64)
		if err != nil {
			return 0, entente.Invalid("%.40q is not a duration; write for example 30 min, 8h or 2 days", s)
		}
		length, known := durationUnits[part[2]]
		if part[2] == "" {
			length, known = unit, unit > 0 || n == 0
			if !known {
				return 0, entente.Invalid("%.40q has no unit; write for example %s h, or name the unit in the heading: (hours)", s, part[1])
			}
		}
		if !known {
			return 0, entente.Invalid("%.40q counts in %.20q; write minutes, hours, days or weeks", s, part[2])
		}
		if n*float64(length) > float64(MaxDuration) {
			return 0, entente.Invalid("the duration %.40q is longer than ten years", s)
		}
		total += time.Duration(math.Round(n*length.Seconds())) * time.Second
		if total > MaxDuration {
			return 0, entente.Invalid("the duration %.40q is longer than ten years", s)
		}
		rest = rest[len(part[0]):]
	}
	return total, nil
}

// headingUnit finds the unit that a heading names for the numbers below it.
func headingUnit(heading string) time.Duration {
	words := strings.FieldsFunc(strings.ToLower(heading), func(r rune) bool { return !unicode.IsLetter(r) })
	for _, w := range words {
		if w == "m" || w == "s" {
			continue // could be anything
		}
		if unit := durationUnits[w]; unit > 0 {
			return unit
		}
	}
	return 0
}

var (
	amount     = regexp.MustCompile(`^([0-9][0-9.,'’ \x{00a0}\x{202f}]*)\s*(k|thousand|tsd|m|mn|mio|million|bn|mrd|billion)?$`)
	amountCode = regexp.MustCompile(`^[A-Z]{3}\b|\b[A-Z]{3}$`)
	signs      = map[string]string{"€": "EUR", "£": "GBP", "$": "USD"}
	multiples  = map[string]float64{
		"": 1, "k": 1e3, "thousand": 1e3, "tsd": 1e3, "m": 1e6, "mn": 1e6, "mio": 1e6, "million": 1e6, "bn": 1e9, "mrd": 1e9, "billion": 1e9,
	}
)

// cellMoney reads an amount in whole units of the currency of the map.
func cellMoney(s, currency string, most int64) (int64, error) {
	text := strings.TrimSpace(s)
	if code := amountCode.FindString(text); code != "" {
		if code != currency {
			return 0, entente.Invalid("%.40q is in %s, and the chain counts in %s", s, code, currency)
		}
		text = strings.TrimSpace(strings.Replace(text, code, "", 1))
	}
	for sign, code := range signs {
		if !strings.Contains(text, sign) {
			continue
		}
		if code != currency && !(sign == "$" && strings.HasSuffix(currency, "D")) {
			return 0, entente.Invalid("%.40q is in %s, and the chain counts in %s", s, code, currency)
		}
		text = strings.TrimSpace(strings.Replace(text, sign, "", 1))
	}
	part := amount.FindStringSubmatch(strings.ToLower(text))
	if part == nil {
		return 0, entente.Invalid("%.40q is not an amount; write for example 120000 or 1.2 million", s)
	}
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '.' || r == ',' {
			return r
		}
		return -1
	}, part[1])
	n, err := strconv.ParseFloat(decimal(digits, part[2] != ""), 64)
	if err != nil {
		return 0, entente.Invalid("%.40q is not an amount; write for example 120000 or 1.2 million", s)
	}
	n = math.Round(n * multiples[part[2]])
	if n > float64(most) {
		return 0, entente.Invalid("the amount %.40q is larger than %d", s, most)
	}
	return int64(n), nil
}

// decimal writes a number with marks for thousands or for the decimals as ParseFloat
// takes it. A single mark before three digits parts thousands, unless a word such
// as million follows.
func decimal(s string, scaled bool) string {
	last := strings.LastIndexAny(s, ".,")
	if last < 0 {
		return s
	}
	mark := s[last : last+1]
	other := "."
	if mark == "." {
		other = ","
	}
	thousands := strings.Count(s, mark) > 1 || len(s)-last-1 == 3 && !scaled && !strings.Contains(s, other)
	if thousands {
		return strings.NewReplacer(".", "", ",", "").Replace(s)
	}
	whole := strings.NewReplacer(".", "", ",", "").Replace(s[:last])
	return whole + "." + s[last+1:]
}

// cellList parts a list at semicolons and line breaks, or else at commas; blanks
// and repetitions are left out.
func cellList(s string) []string {
	mark := func(r rune) bool { return r == ';' || r == '\n' || r == '\r' }
	if !strings.ContainsFunc(s, mark) {
		mark = func(r rune) bool { return r == ',' }
	}
	var all []string
	for _, item := range strings.FieldsFunc(s, mark) {
		item = strings.TrimSpace(item)
		if item != "" && !slices.Contains(all, item) {
			all = append(all, item)
		}
		if len(all) > maxList {
			break // the check of the thing tells it
		}
	}
	return all
}

// cellDomain takes addresses of pages too.
func cellDomain(s string) (string, error) {
	d := strings.ToLower(strings.TrimSpace(s))
	for _, scheme := range []string{"https://", "http://"} {
		d = strings.TrimPrefix(d, scheme)
	}
	if i := strings.IndexAny(d, "/?#:"); i >= 0 {
		d = d[:i]
	}
	d = strings.TrimSuffix(strings.TrimPrefix(d, "www."), ".")
	return d, validDomain(d)
}

func cellLEI(s string) (string, error) {
	lei := strings.ToUpper(strings.Join(strings.Fields(s), ""))
	return lei, validLEI(lei)
}

func cellEmail(s string) (string, error) {
	e := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(s), "mailto:"))
	return e, validEmail(e)
}

func cellCountry(s string) (string, error) {
	code := strings.ToUpper(strings.TrimSpace(s))
	if code == "UK" {
		code = "GB"
	}
	if validCountry(code) == nil {
		return code, nil
	}
	if code, known := countryNames[plainName(s)]; known {
		return code, nil
	}
	return "", entente.Invalid("%.40q is not a country; write its two letters by ISO 3166-1, such as DE", s)
}

// cellWord reads one word out of a few, also by other names that people give it.
func cellWord[T ~string](s string, words []string, other map[string]string) (T, error) {
	w := plainName(s)
	if slices.Contains(words, w) {
		return T(w), nil
	}
	if known, ok := other[w]; ok {
		return T(known), nil
	}
	if near := closest(w, slices.Values(words)); near != "" {
		return "", entente.Invalid("%.40q is not one of %s; did you mean %s?", s, strings.Join(words, ", "), near)
	}
	return "", entente.Invalid("%.40q is not one of %s", s, strings.Join(words, ", "))
}

// Other names that people give to the words of a column.
var (
	natureNames = map[string]string{
		"good": "goods", "hardware": "goods", "material": "goods", "materials": "goods", "raw material": "goods", "device": "goods", "devices": "goods", "ware": "goods", "waren": "goods",
		"services": "service", "consulting": "service", "outsourcing": "service", "managed service": "service", "logistics": "service", "dienstleistung": "service", "staff": "service",
		"licence": "software", "license": "software", "licences": "software", "licenses": "software", "app": "software", "on premises software": "software",
		"saas": "cloud", "paas": "cloud", "iaas": "cloud", "hosting": "cloud", "cloud service": "cloud", "cloud services": "cloud",
	}
	bespokeNames = map[string]string{
		"yes": "bespoke", "y": "bespoke", "true": "bespoke", "x": "bespoke", "1": "bespoke", "ja": "bespoke", "custom": "bespoke", "tailored": "bespoke",
		"no": "commodity", "n": "commodity", "false": "commodity", "0": "commodity", "nein": "commodity", "standard": "commodity", "off the shelf": "commodity",
	}
	criticalityNames = map[string]string{
		"very high": "critical", "vital": "critical", "kritisch": "critical", "mission critical": "critical", "business critical": "critical", "sehr hoch": "critical",
		"important": "high", "hoch": "high", "moderate": "medium", "normal": "medium", "mittel": "medium", "minor": "low", "niedrig": "low", "gering": "low", "non critical": "low",
	}
	systemKindNames = map[string]string{
		"app": "application", "software": "application", "anwendung": "application", "dienst": "service", "platform": "service", "infrastructure": "service",
		"data store": "datastore", "database": "datastore", "db": "datastore", "storage": "datastore", "datenbank": "datastore",
		"api": "interface", "integration": "interface", "schnittstelle": "interface",
	}
	classNames = map[string]string{
		"pii": "personal", "personal data": "personal", "gdpr": "personal", "personenbezogen": "personal", "open": "public", "öffentlich": "public",
		"intern": "internal", "vertraulich": "confidential", "restricted": "confidential", "geheim": "secret", "credentials": "secret", "strictly confidential": "secret",
	}
	accessNames = map[string]string{
		"read": "user", "standard": "user", "edit": "write", "admin": "privileged", "administrator": "privileged", "root": "privileged",
	}
)

func classWords() []string {
	words := make([]string, 0, 5)
	for _, c := range Classes() {
		words = append(words, string(c))
	}
	return words
}

// cellCost reads what an hour of interruption costs: "500" or "500; from 24h 2000".
func cellCost(s, currency string) ([]CostRate, error) {
	var rates []CostRate
	for _, item := range strings.FieldsFunc(s, func(r rune) bool { return r == ';' || r == '\n' }) {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		var rate CostRate
		if after, later := strings.CutPrefix(strings.ToLower(item), "from "); later {
			from, money, found := strings.Cut(strings.TrimSpace(after), " ")
			if !found {
				return nil, entente.Invalid("%.60q does not say from when on which cost applies; write for example: from 24h 2000", item)
			}
			var err error
			rate.From, err = cellDuration(from, 0)
			if err != nil {
				return nil, err
			}
			item = strings.ToUpper(money)
		}
		var err error
		rate.PerHour, err = cellMoney(item, currency, maxPerHour)
		if err != nil {
			return nil, err
		}
		rates = append(rates, rate)
	}
	return rates, nil
}

// named is what a cell says of a need: the names of its alternatives, and a buffer.
type namedNeed struct {
	any    []string
	buffer time.Duration
}

var (
	inBrackets = regexp.MustCompile(`^(.*\S)\s*\(([^()]*)\)$`)
	orWord     = regexp.MustCompile(`\s+(?i:or|oder)\s+|\s*\|\s*`)
)

// cellNeeds reads needs: "Portal or Paper forms (4h); Web hosting".
func cellNeeds(s string) ([]namedNeed, error) {
	var needs []namedNeed
	for _, item := range cellList(s) {
		var n namedNeed
		if part := inBrackets.FindStringSubmatch(item); part != nil && strings.ContainsAny(part[2], "0123456789") {
			d, err := cellDuration(strings.TrimPrefix(strings.ToLower(part[2]), "buffer "), 0)
			if err == nil {
				n.buffer, item = d, part[1]
			} else if part[2][0] >= '0' && part[2][0] <= '9' {
				return nil, err
			}
		}
		for _, name := range orWord.Split(item, -1) {
			name = strings.TrimSpace(name)
			if name != "" && !slices.Contains(n.any, name) {
				n.any = append(n.any, name)
			}
		}
		if len(n.any) > 0 {
			needs = append(needs, n)
		}
	}
	return needs, nil
}

// plainName folds a name to what is compared of it: letters and digits, in words.
func plainName(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(s) {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
			gap = true
			continue
		}
		if gap && b.Len() > 0 {
			b.WriteByte(' ')
		}
		gap = false
		b.WriteRune(r)
	}
	return b.String()
}

// cellID reads an identifier that the sheet gives.
func cellID(s string) (NodeID, error) {
	id := strings.ToLower(strings.TrimSpace(s))
	return NodeID(id), entente.ValidSlug(id)
}

// countryNames are names of countries that sheets hold instead of their codes.
var countryNames = map[string]string{
	"austria": "AT", "österreich": "AT", "belgium": "BE", "bulgaria": "BG", "croatia": "HR", "cyprus": "CY", "czechia": "CZ", "czech republic": "CZ",
	"denmark": "DK", "estonia": "EE", "finland": "FI", "france": "FR", "frankreich": "FR", "germany": "DE", "deutschland": "DE", "greece": "GR", "hungary": "HU",
	"iceland": "IS", "ireland": "IE", "italy": "IT", "italien": "IT", "latvia": "LV", "liechtenstein": "LI", "lithuania": "LT", "luxembourg": "LU", "malta": "MT",
	"netherlands": "NL", "the netherlands": "NL", "niederlande": "NL", "norway": "NO", "poland": "PL", "polen": "PL", "portugal": "PT", "romania": "RO",
	"slovakia": "SK", "slovenia": "SI", "spain": "ES", "spanien": "ES", "sweden": "SE", "switzerland": "CH", "schweiz": "CH", "turkey": "TR", "türkiye": "TR", "ukraine": "UA",
	"united kingdom": "GB", "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "serbia": "RS", "united states": "US", "united states of america": "US", "usa": "US", "u s a": "US",
	"canada": "CA", "mexico": "MX", "brazil": "BR", "argentina": "AR", "chile": "CL", "colombia": "CO", "peru": "PE",
	"china": "CN", "hong kong": "HK", "taiwan": "TW", "japan": "JP", "south korea": "KR", "republic of korea": "KR", "korea": "KR", "india": "IN", "indonesia": "ID",
	"malaysia": "MY", "singapore": "SG", "thailand": "TH", "vietnam": "VN", "viet nam": "VN", "philippines": "PH", "bangladesh": "BD", "pakistan": "PK", "sri lanka": "LK",
	"australia": "AU", "new zealand": "NZ", "south africa": "ZA", "egypt": "EG", "morocco": "MA", "nigeria": "NG", "kenya": "KE", "ethiopia": "ET", "uganda": "UG", "tanzania": "TZ",
	"israel": "IL", "united arab emirates": "AE", "uae": "AE", "saudi arabia": "SA", "qatar": "QA",
}
