package advisory

import (
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/entente-project/entente/internal/advisory/osv"
)

// State says how a package stands to an advisory.
type State string

// The states of a match.
const (
	Affected  State = "affected"
	Unknown   State = "unknown"   // it is concerned by name, but whether it is affected cannot be decided
	Not       State = "not"       // the advisory names the package, but not this version
	Withdrawn State = "withdrawn" // it matched, and the advisory was withdrawn since
)

// Verdict is the answer for one package and one advisory, with its reason in words.
type Verdict struct {
	State State
	Why   string
}

// Matcher is an advisory made ready for matching: its versions are parsed once, its
// intervals sorted. It is safe for concurrent use.
type Matcher struct {
	ID        string
	Withdrawn bool
	rules     map[PackageKey][]rule
	keys      []PackageKey
}

// rule is what one entry of affected[] says.
type rule struct {
	ecosystem string // as written, with the release: "AlmaLinux:8"
	release   string // folded
	versions  map[string]bool
	intervals []interval
	// doubts says which ranges could not be read, in words.
	doubts []string
	// silent: the entry names the package and no versions at all.
	silent bool
	// commits: the entry tells its versions by commits only.
	commits bool
}

// interval is a run of versions. A nil from is the first version ever, a nil to
// means that no end is known.
type interval struct {
	from, to  *version
	inclusive bool // to itself is affected
	// doubt says why the interval is not believed: its end lies before its begin.
	doubt string
	// limits hold for the whole range: a version lies before at least one of them.
	limits []version
}

// Compile makes an advisory ready for matching. It does not fail: what cannot be
// read makes the verdict unknown, with the reason.
func Compile(r *osv.Record) *Matcher {
	m := &Matcher{ID: r.ID, Withdrawn: !r.Withdrawn.IsZero(), rules: map[PackageKey][]rule{}}
	for i := range r.Affected {
		a := &r.Affected[i]
		eco, release := splitEcosystem(a.Package.Ecosystem)
		if eco != "" && a.Package.Name != "" {
			m.add(PackageKey{eco, FoldName(eco, a.Package.Name)}, compileRule(eco, release, a))
		}
		for _, g := range a.Ranges {
			if namesRepository(&g, a) {
				m.add(PackageKey{ecoGit, FoldName(ecoGit, g.Repo)}, rule{ecosystem: ecoGit, versions: versionSet(ecoGit, a.Versions)})
			}
		}
	}
	return m
}

// KeysOf lists the packages that a record names, without doubles and without
// compiling it.
func KeysOf(r *osv.Record) []PackageKey {
	var keys []PackageKey
	seen := make(map[PackageKey]bool, len(r.Affected))
	add := func(k PackageKey) {
		if !seen[k] {
			seen[k] = true
			keys = append(keys, k)
		}
	}
	for i := range r.Affected {
		a := &r.Affected[i]
		eco, _, _ := strings.Cut(a.Package.Ecosystem, ":")
		eco = strings.TrimSpace(eco)
		if eco != "" && a.Package.Name != "" {
			add(PackageKey{eco, FoldName(eco, a.Package.Name)})
		}
		for _, g := range a.Ranges {
			if namesRepository(&g, a) {
				add(PackageKey{ecoGit, FoldName(ecoGit, g.Repo)})
			}
		}
	}
	return keys
}

// namesRepository says whether a range names software by its repository so that it
// can be matched: only listed tags can be compared, because the order of commits is
// in the repository alone.
func namesRepository(g *osv.Range, a *osv.Affected) bool {
	return g.Type == osv.RangeGit && g.Repo != "" && len(a.Versions) > 0
}

func (m *Matcher) add(key PackageKey, r rule) {
	if _, known := m.rules[key]; !known {
		m.keys = append(m.keys, key)
	}
	m.rules[key] = append(m.rules[key], r)
}

// Keys lists the packages that the advisory names, without doubles.
func (m *Matcher) Keys() []PackageKey { return m.keys }

// splitEcosystem parts "AlmaLinux:8" into ecosystem and folded release. Registries
// other than the ecosystem's own ("Packagist:https://packages.drupal.org/8") are
// no releases: package names are taken to be unique across registries.
func splitEcosystem(s string) (eco, release string) {
	eco, suffix, _ := strings.Cut(s, ":")
	eco = strings.TrimSpace(eco)
	if !hasReleases(eco) {
		return eco, ""
	}
	return eco, foldRelease(eco, suffix)
}

func versionSet(eco string, versions []string) map[string]bool {
	set := make(map[string]bool, len(versions))
	for _, v := range versions {
		set[listed(eco, v)] = true
	}
	return set
}

// listed folds a version for comparison with a list of versions: case and a
// leading v do not matter.
func listed(eco, v string) string {
	v = strings.ToLower(cleanVersion(eco, v))
	return strings.TrimPrefix(v, "v")
}

func compileRule(eco, release string, a *osv.Affected) rule {
	r := rule{ecosystem: a.Package.Ecosystem, release: release}
	if len(a.Versions) > 0 {
		r.versions = versionSet(eco, a.Versions)
	}
	ranges := 0
	for i := range a.Ranges {
		g := &a.Ranges[i]
		switch g.Type {
		case osv.RangeGit:
			r.commits = true
			continue
		case osv.RangeSemver, osv.RangeEcosystem:
		default:
			r.doubts = append(r.doubts, fmt.Sprintf("a range of the unknown type %q", g.Type))
			continue
		}
		ranges++
		intervals, err := compileRange(eco, g.Events)
		if err != nil {
			r.doubts = append(r.doubts, err.Error())
			continue
		}
		r.intervals = append(r.intervals, intervals...)
	}
	r.commits = r.commits && ranges == 0
	r.silent = len(a.Versions) == 0 && len(a.Ranges) == 0
	return r
}

// event is one end of an interval, its version parsed; a nil version is the first
// ever.
type event struct {
	at    *version
	opens bool
	last  bool // closes after at, not before
	next  *event
}

// compileRange turns events into intervals. Events come in any order (trap 7), so
// they are sorted; where several have one version, what is open is closed first,
// and what is closed is opened first, so that [1.0, 1.0) is empty and 1.0 can both
// end one interval and begin the next.
func compileRange(eco string, events []osv.Event) (out []interval, err error) {
	var limits []version
	var evs []*event
	for _, e := range events {
		text, opens, last := e.Introduced, true, false
		switch {
		case e.Introduced != "":
		case e.Fixed != "":
			text, opens = e.Fixed, false
		case e.LastAffected != "":
			text, opens, last = e.LastAffected, false, true
		case e.Limit != "":
			if e.Limit == "*" {
				continue
			}
			v, err := parseVersion(eco, cleanVersion(eco, e.Limit))
			if err != nil {
				return nil, err
			}
			limits = append(limits, v)
			continue
		default:
			continue
		}
		ev := &event{opens: opens, last: last}
		if text != "0" || last {
			v, err := parseVersion(eco, cleanVersion(eco, text))
			if err != nil {
				return nil, err
			}
			ev.at = &v
		}
		if n := len(evs); n > 0 {
			evs[n-1].next = ev
		}
		evs = append(evs, ev)
	}
	sort.SliceStable(evs, func(i, j int) bool {
		order, bad := orderOf(evs[i].at, evs[j].at)
		if bad != nil {
			err = bad
		}
		return order < 0
	})
	if err != nil {
		return nil, err
	}
	var open *event
	for i := 0; i < len(evs); {
		j := i + 1
		for j < len(evs) {
			order, _ := orderOf(evs[i].at, evs[j].at)
			if order != 0 {
				break
			}
			j++
		}
		group := evs[i:j]
		i = j
		passes := [2]bool{true, false} // opens first
		if open != nil {
			passes = [2]bool{false, true}
		}
		for _, opens := range passes {
			for _, ev := range group {
				switch {
				case ev.opens != opens:
				case ev.opens && open == nil:
					open = ev
				case !ev.opens && open != nil:
					out = appendInterval(out, interval{from: open.at, to: ev.at, inclusive: ev.last})
					open = nil
				}
			}
		}
	}
	if open != nil {
		last := interval{from: open.at}
		// As written, an end follows, but it lies before the begin: one of the two
		// is wrong, and nothing says which.
		if open.next != nil && !open.next.opens {
			last.doubt = fmt.Sprintf("it begins at %s and ends at %s, which comes before", textOf(open.at), textOf(open.next.at))
		}
		out = append(out, last)
	}
	for i := range out {
		out[i].limits = limits
	}
	return out, nil
}

// appendInterval leaves out intervals that hold no version.
func appendInterval(out []interval, iv interval) []interval {
	order, err := orderOf(iv.from, iv.to)
	if err == nil && order == 0 && !iv.inclusive {
		return out
	}
	return append(out, iv)
}

func orderOf(a, b *version) (int, error) {
	switch {
	case a == nil && b == nil:
		return 0, nil
	case a == nil:
		return -1, nil
	case b == nil:
		return 1, nil
	}
	return a.compare(*b)
}

func textOf(v *version) string {
	if v == nil {
		return "0"
	}
	return v.text
}

// String writes an interval as mathematics does: "[2.0-beta9, 2.15.0)".
func (iv interval) String() string {
	end := ", …)"
	switch {
	case iv.to != nil && iv.inclusive:
		end = ", " + iv.to.text + "]"
	case iv.to != nil:
		end = ", " + iv.to.text + ")"
	}
	return "[" + textOf(iv.from) + end
}

// errEpoch marks a comparison that hangs on an epoch nobody told.
var errEpoch = errors.New("the package URL names no epoch, on which the comparison hangs")

// Match says how a component stands to the advisory. Of several names and entries
// the worst answer counts: affected, then unknown, then not.
func (m *Matcher) Match(p Names) Verdict {
	best := Verdict{State: Not}
	for i := range p.Candidates {
		v := m.MatchCandidate(&p.Candidates[i])
		if rank(v.State) > rank(best.State) {
			best = v
		}
		if best.State == Affected {
			break
		}
	}
	if best.Why == "" {
		best.Why = fmt.Sprintf("%s does not name this version", m.ID)
	}
	return best
}

func rank(s State) int {
	switch s {
	case Affected:
		return 2
	case Unknown:
		return 1
	}
	return 0
}

// MatchCandidate is [Matcher.Match] for one name of a component. A verdict [Not]
// has no reason.
func (m *Matcher) MatchCandidate(c *Candidate) Verdict {
	if m.Withdrawn {
		return Verdict{State: Not}
	}
	rules := m.rules[c.Key]
	if len(rules) == 0 {
		return Verdict{State: Not}
	}
	var parsed *version
	var unreadable error
	if c.Version != "" {
		v, err := parseVersion(c.Key.Ecosystem, c.Version)
		if err != nil {
			unreadable = err
		} else {
			parsed = &v
		}
	}
	best := Verdict{State: Not}
	for i := range rules {
		v := m.judge(&rules[i], c, parsed, unreadable)
		if v.State == Affected && c.Doubt != "" {
			v = Verdict{Unknown, v.Why + ", but " + c.Doubt}
		}
		if rank(v.State) > rank(best.State) {
			best = v
		}
		if best.State == Affected {
			return best
		}
	}
	return best
}

func (m *Matcher) judge(r *rule, c *Candidate, v *version, unreadable error) Verdict {
	same, known := sameRelease(c.Key.Ecosystem, r.release, c.Release)
	if known && !same {
		return Verdict{State: Not}
	}
	if c.Version == "" {
		return Verdict{Unknown, fmt.Sprintf("%s names %s, but the component has no version", m.ID, c.Key)}
	}
	if !known {
		return Verdict{Unknown, fmt.Sprintf("%s concerns %s, but the package URL does not say which release of the distribution it is of", m.ID, r.ecosystem)}
	}
	if r.versions[listed(c.Key.Ecosystem, c.Version)] {
		return Verdict{Affected, fmt.Sprintf("%s is one of the versions that %s lists", c.Version, m.ID)}
	}
	if unreadable != nil && r.everything() {
		return Verdict{Affected, fmt.Sprintf("%s affects every version of %s", m.ID, c.Key)}
	}
	if unreadable != nil && (len(r.intervals) > 0 || len(r.doubts) > 0) {
		return Verdict{Unknown, fmt.Sprintf("%s names %s, but %v", m.ID, c.Key, unreadable)}
	}
	doubt := Verdict{State: Not}
	for i := range r.intervals {
		iv := &r.intervals[i]
		in, err := iv.contains(v, c)
		switch {
		case errors.Is(err, errEpoch):
			doubt = Verdict{Unknown, fmt.Sprintf("%s may lie in %s of %s: %v", c.Version, iv, m.ID, err)}
		case err != nil:
			doubt = Verdict{Unknown, fmt.Sprintf("%s names %s, but %v", m.ID, c.Key, err)}
		case in && iv.doubt != "":
			doubt = Verdict{Unknown, fmt.Sprintf("%s may lie in a range of %s that contradicts itself: %s", c.Version, m.ID, iv.doubt)}
		case in:
			return Verdict{Affected, fmt.Sprintf("%s lies in %s of %s", c.Version, iv, m.ID)}
		}
	}
	if doubt.State == Unknown {
		return doubt
	}
	switch {
	case len(r.doubts) > 0:
		return Verdict{Unknown, fmt.Sprintf("%s names %s, but has a range that cannot be read: %s", m.ID, c.Key, strings.Join(r.doubts, "; "))}
	case r.silent:
		return Verdict{Unknown, fmt.Sprintf("%s names %s, but no versions", m.ID, c.Key)}
	case r.commits && len(r.versions) == 0:
		return Verdict{Unknown, fmt.Sprintf("%s tells the versions of %s only by commits", m.ID, c.Key)}
	}
	return Verdict{State: Not}
}

// everything says whether the rule holds for every version there is.
func (r *rule) everything() bool {
	for i := range r.intervals {
		iv := &r.intervals[i]
		if iv.from == nil && iv.to == nil && iv.doubt == "" && len(iv.limits) == 0 {
			return true
		}
	}
	return false
}

// contains says whether a version lies in the interval and before the limits.
func (iv *interval) contains(v *version, c *Candidate) (bool, error) {
	if iv.from != nil {
		order, err := compareEpoch(v, iv.from, c)
		if err != nil {
			return false, err
		}
		if order < 0 {
			return false, nil
		}
	}
	if iv.to != nil {
		order, err := compareEpoch(v, iv.to, c)
		if err != nil {
			return false, err
		}
		if order > 0 || order == 0 && !iv.inclusive {
			return false, nil
		}
	}
	if len(iv.limits) == 0 {
		return true, nil
	}
	for i := range iv.limits {
		order, err := compareEpoch(v, &iv.limits[i], c)
		if err != nil {
			return false, err
		}
		if order < 0 {
			return true, nil
		}
	}
	return false, nil
}

// compareEpoch compares a component's version with the bound of an interval. A
// bound with an epoch and a component without one compare surely only if the epoch
// makes no difference.
func compareEpoch(v, bound *version, c *Candidate) (int, error) {
	order, err := v.compare(*bound)
	if err != nil || !c.NoEpoch {
		return order, err
	}
	epoch, _, ok := strings.Cut(bound.text, ":")
	if !ok || epoch == "0" || strings.Trim(epoch, "0123456789") != "" {
		return order, nil
	}
	with, err := parseVersion(c.Key.Ecosystem, epoch+":"+v.text)
	if err != nil {
		return 0, errEpoch
	}
	second, err := with.compare(*bound)
	if err != nil || sign(second) != sign(order) {
		return 0, errEpoch
	}
	return order, nil
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}
