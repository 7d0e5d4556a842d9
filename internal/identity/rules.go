package identity

import (
	"net/mail"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/entente-project/entente"
)

// How long things last.
const (
	// Fresh is how long a proof of identity counts for sensitive acts.
	Fresh = 10 * time.Minute

	idleDefault    = 12 * time.Hour
	longestDefault = 7 * 24 * time.Hour
	pendingLife    = 10 * time.Minute // between the password and the second factor
	ceremonyLife   = 10 * time.Minute // a passkey or single sign-on under way

	InvitationLife    = 7 * 24 * time.Hour // where the inviter says nothing
	maxInvitationLife = 30 * 24 * time.Hour
	TokenLife         = 90 * 24 * time.Hour // where the maker of an API token says nothing
	maxTokenLife      = 366 * 24 * time.Hour
)

// How many of a thing one person or organisation can have.
const (
	maxSessions        = 50
	maxTokens          = 50
	maxPasskeys        = 20
	maxOpenInvitations = 500
	maxScope           = 1000
)

// cleanEmail gives the form in which an e-mail address is stored and compared.
func cleanEmail(email string) (string, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Address != email || len(email) > 254 || strings.ContainsFunc(email, unicode.IsControl) {
		return "", entente.Invalid("%.60q is not an e-mail address; write it like ada@example.com", email)
	}
	return email, nil
}

// cleanName gives the form in which a name of a person, an organisation or a thing
// of theirs is stored.
func cleanName(what, name string) (string, error) {
	name = strings.Join(strings.Fields(name), " ")
	switch {
	case name == "":
		return "", entente.Invalid("the %s is missing", what)
	case !utf8.ValidString(name):
		return "", entente.Invalid("the %s holds bytes that are no text", what)
	case utf8.RuneCountInString(name) > 120:
		return "", entente.Invalid("the %s is longer than 120 characters", what)
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }):
		return "", entente.Invalid("the %s holds characters that cannot be shown", what)
	}
	return name, nil
}

// cleanScope checks the role with its scope, and sorts the scope.
func cleanScope(role entente.Role, scope []string) ([]string, error) {
	if !role.Valid() {
		return nil, entente.Invalid("the role %.40q is unknown; take one of %s", role, roleNames())
	}
	if scopeKind(role) == "" {
		if len(scope) > 0 {
			return nil, entente.Invalid("the role %q has no scope; only a business owner has processes and a contact partnerships", role)
		}
		return []string{}, nil
	}
	if len(scope) > maxScope {
		return nil, entente.TooLarge("the scope names %d entries; at most %d are allowed", len(scope), maxScope)
	}
	scope = slices.Clone(scope)
	for _, id := range scope {
		if err := entente.ValidSlug(id); err != nil {
			return nil, entente.Invalid("the scope: %w", err)
		}
	}
	slices.Sort(scope)
	return slices.Compact(scope), nil
}

func roleNames() string {
	var names []string
	for _, r := range entente.Roles() {
		names = append(names, string(r))
	}
	return strings.Join(names, ", ")
}

// limit says how the wait between attempts grows for one sort of key.
type limit struct {
	free   int           // failures without any wait
	first  time.Duration // the wait after the first failure beyond; it doubles with each
	most   time.Duration
	forget time.Duration // after so long without a failure, all is forgotten
}

// An account is guarded more closely than an address, behind which a whole office
// may sit.
var (
	limitAccount = limit{free: 5, first: 2 * time.Second, most: 15 * time.Minute, forget: 24 * time.Hour}
	limitAddress = limit{free: 30, first: time.Second, most: 15 * time.Minute, forget: time.Hour}
)

// wait gives how long nothing more is accepted after so many failures.
func (l limit) wait(failures int) time.Duration {
	over := failures - l.free
	if over <= 0 {
		return 0
	}
	if over > 20 {
		return l.most
	}
	return min(l.first<<(over-1), l.most)
}

// addressKey gives what counts as one address for limits: an IPv4 address, or the
// /64 of an IPv6 address, since one customer has a whole one. "" if it is none.
func addressKey(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return ""
		}
		a = ap.Addr()
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	prefix, err := a.Prefix(64)
	if err != nil {
		return ""
	}
	return prefix.String()
}

// shortAgent makes what a browser says of itself readable: "Firefox on Windows".
func shortAgent(agent string) string {
	if !utf8.ValidString(agent) || agent == "" {
		return "unknown program"
	}
	first := func(fallback string, pairs ...string) string {
		for i := 0; i < len(pairs); i += 2 {
			if strings.Contains(agent, pairs[i]) {
				return pairs[i+1]
			}
		}
		return fallback
	}
	program := first("", "Edg", "Edge", "OPR/", "Opera", "Firefox/", "Firefox", "FxiOS", "Firefox", "CriOS", "Chrome", "Chrome/", "Chrome", "Safari/", "Safari")
	if program == "" {
		clean := strings.Map(func(r rune) rune {
			if unicode.IsPrint(r) {
				return r
			}
			return -1
		}, agent)
		name := []rune(clean)
		return string(name[:min(len(name), 40)])
	}
	system := first("", "iPhone", "iPhone", "iPad", "iPad", "Android", "Android", "Windows", "Windows", "Mac OS X", "macOS", "CrOS", "ChromeOS", "Linux", "Linux")
	if system == "" {
		return program
	}
	return program + " on " + system
}
