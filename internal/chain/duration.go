package chain

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/entente-project/entente"
)

// MaxDuration is the longest duration that a map may hold: ten years.
const MaxDuration = 3650 * 24 * time.Hour

// Never is the time of something that does not happen.
const Never = time.Duration(math.MaxInt64)

// units are the units of a duration in a map, from the longest to the shortest.
var units = []struct {
	letter byte
	length time.Duration
}{
	{'w', 7 * 24 * time.Hour},
	{'d', 24 * time.Hour},
	{'h', time.Hour},
	{'m', time.Minute},
	{'s', time.Second},
}

const durationHelp entente.Text = "write for example 30m, 8h, 5d, 2w or 1d12h"

// ParseDuration reads a duration as maps write it: whole numbers with the units
// w, d, h, m and s, from the longest unit to the shortest, or a plain 0.
func ParseDuration(s string) (time.Duration, error) {
	if s == "0" {
		return 0, nil
	}
	if s == "" {
		return 0, entente.Invalid("the duration is missing; %s", durationHelp)
	}
	if s[0] == '-' {
		return 0, entente.Invalid("the duration %.40q is negative; %s", s, durationHelp)
	}
	var total time.Duration
	unit := 0
	for rest := s; rest != ""; {
		digits := 0
		for digits < len(rest) && rest[digits] >= '0' && rest[digits] <= '9' {
			digits++
		}
		if digits == 0 || digits > 9 {
			return 0, entente.Invalid("%.40q is not a duration; %s", s, durationHelp)
		}
		if digits == len(rest) {
			return 0, entente.Invalid("%.40q has no unit at its end; %s", s, durationHelp)
		}
		n, err := strconv.ParseInt(rest[:digits], 10, 64)
		if err != nil {
			return 0, entente.Invalid("%.40q is not a duration; %s", s, durationHelp)
		}
		for unit < len(units) && units[unit].letter != rest[digits] {
			unit++
		}
		if unit == len(units) {
			return 0, entente.Invalid("%.40q is not a duration (units are w, d, h, m and s, the longest first, each once); %s", s, durationHelp)
		}
		if n > int64(MaxDuration/units[unit].length) {
			return 0, entente.Invalid("the duration %.40q is longer than ten years", s)
		}
		total += time.Duration(n) * units[unit].length
		unit++
		rest = rest[digits+1:]
	}
	if total > MaxDuration {
		return 0, entente.Invalid("the duration %.40q is longer than ten years", s)
	}
	return total, nil
}

// FormatDuration writes a duration as maps do, so that [ParseDuration] gives it
// back; parts of a second are cut off.
func FormatDuration(d time.Duration) string {
	if d < time.Second {
		return "0"
	}
	var b strings.Builder
	for _, u := range units {
		if n := d / u.length; n > 0 {
			b.WriteString(strconv.FormatInt(int64(n), 10))
			b.WriteByte(u.letter)
			d -= n * u.length
		}
	}
	return b.String()
}

// SayDuration tells a duration to people: "30 min", "24 h", "5 days",
// "2 days 12 h"; "never" for [Never]. Up to two days it counts in hours, as
// recovery objectives do.
func SayDuration(d time.Duration) entente.Message {
	days, hours, minutes, seconds := int(d/(24*time.Hour)), int(d/time.Hour), int(d/time.Minute), int(d/time.Second)
	switch {
	case d == Never:
		return entente.Say("never")
	case d < time.Second:
		return entente.Say("0 h")
	case d < time.Minute:
		return entente.Say("%d s", seconds)
	case d < time.Hour && seconds%60 == 0:
		return entente.Say("%d min", minutes)
	case d < time.Hour:
		return entente.Say("%d min %d s", minutes, seconds%60)
	case d <= 48*time.Hour && minutes%60 == 0:
		return entente.Say("%d h", hours)
	case d <= 48*time.Hour:
		return entente.Say("%d h %d min", hours, minutes%60)
	case hours%24 == 0:
		return entente.Plural(days, "%d day", "%d days")
	}
	return entente.Plural(days, "%d day %d h", "%d days %d h", days, hours%24)
}

// DurationWords says it in English.
func DurationWords(d time.Duration) string { return SayDuration(d).String() }

// later adds two durations without running over: what lies beyond the range of a
// duration never happens.
func later(t, d time.Duration) time.Duration {
	if t > Never-d {
		return Never
	}
	return t + d
}
