package advisory

import entente "github.com/entente-project/entente"

// reasons are the sentences by which matching says why. Matches keep them in English;
// pages read them back to say them in their reader's language.
var reasons = entente.NewSayings(
	// From the special to the general: the first that fits counts.
	"%s names %s, but the component has no version",
	"%s concerns %s, but the package URL does not say which release of the distribution it is of",
	"%s names %s, but has a range that cannot be read: %s",
	"%s names %s, but no versions",
	"%s names %s, but %v",
	"%s, but %s",
	"%s does not name this version",
	"%s is one of the versions that %s lists",
	"%s affects every version of %s",
	"%s may lie in a range of %s that contradicts itself: %s",
	"%s may lie in %s of %s: %v",
	"%s lies in %s of %s",
	"%s tells the versions of %s only by commits",
	"a range of the unknown type %q",
	"it begins at %s and ends at %s, which comes before",
	"the package URL names no epoch, on which the comparison hangs",
	"%q cannot be read as a version of %s",
	"no rules are known for the order of versions of %s",
	"%q is no version of %s",
	"%q and %q cannot be compared",
	"%.80q is no package URL",
	"the component has no package URL",
	"no advisories are known for packages of the type %q",
	"%q is a moving tag, not a version",
	"%q is a moving tag or a commit, not a version",
	"the package URL names %q within it, which may be a module with versions of its own",
	"the package URL names no owner of the repository",
	"the package URL names no distribution",
	"no advisories are known for packages of the distribution %q",
	"%q has no packages of the type %q",
	"%s, as modified on %s, does not name this version any more",
	"%s was withdrawn on %s",
	"%s was taken back by %s on %s",
	"the time of %s from %s ran out on %s",
	"%s says on %s: fixed",
	"%s says on %s: fixed, because %s",
	"%s says on %s: not affected",
	"%s says on %s: not affected, because %s",
	"%s; %s",
)

// Reason reads why a component is or is not affected, as [Verdict] and matches tell
// it in English.
func Reason(why string) entente.Message { return reasons.Read(why) }
