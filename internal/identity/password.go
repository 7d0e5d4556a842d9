package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/entente-project/entente"
)

// PasswordCost is what it costs to check one password: the parameters of argon2id.
// They stand beside each stored hash, so that they can rise later.
type PasswordCost struct {
	Memory  uint32 // KiB
	Passes  uint32
	Threads uint8
}

// DefaultPasswordCost takes about 50 ms and 32 MiB for one check.
var DefaultPasswordCost = PasswordCost{Memory: 32 << 10, Passes: 3, Threads: 1}

// Bounds of a password, in characters and bytes.
const (
	MinPassword      = 12
	maxPasswordBytes = 1024
)

const (
	saltBytes = 16
	hashBytes = 32
	// What a stored hash may ask for at most, so that a damaged row cannot take all memory.
	maxMemory  = 1 << 20 // KiB
	maxPasses  = 64
	maxThreads = 16
)

// hasher makes and checks password hashes, only few at a time: each takes its
// memory, and a flood of sign-ins must not take all.
type hasher struct {
	cost  PasswordCost
	slots chan struct{}
	decoy func() string // a hash of nothing, checked when there is none
}

func newHasher(cost PasswordCost) *hasher {
	h := &hasher{cost: cost, slots: make(chan struct{}, 4)}
	h.decoy = sync.OnceValue(func() string { return h.hash(rand.Text()) })
	return h
}

// Hash gives the PHC string of a password.
func (h *hasher) Hash(ctx context.Context, password string) (string, error) {
	release, err := h.enter(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	return h.hash(password), nil
}

// Check says whether the password belongs to the stored PHC string, and whether the
// string should be made anew because the cost has risen. An empty string belongs to
// no password, and takes as long to find out.
func (h *hasher) Check(ctx context.Context, stored, password string) (ok, renew bool, err error) {
	release, err := h.enter(ctx)
	if err != nil {
		return false, false, err
	}
	defer release()
	known := stored != ""
	if !known {
		stored = h.decoy()
	}
	cost, salt, want, err := parsePHC(stored)
	if err != nil {
		return false, false, err
	}
	if len(password) > maxPasswordBytes {
		password = ""
	}
	got := argon2.IDKey(prepared(password), salt, cost.Passes, cost.Memory, cost.Threads, uint32(len(want)))
	same := subtle.ConstantTimeCompare(got, want) == 1
	return same && known, same && known && cost != h.cost, nil
}

func (h *hasher) enter(ctx context.Context) (release func(), err error) {
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (h *hasher) hash(password string) string {
	salt := make([]byte, saltBytes)
	rand.Read(salt)
	sum := argon2.IDKey(prepared(password), salt, h.cost.Passes, h.cost.Memory, h.cost.Threads, hashBytes)
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		h.cost.Memory, h.cost.Passes, h.cost.Threads, enc.EncodeToString(salt), enc.EncodeToString(sum))
}

// prepared makes one of the several ways in which keyboards send the same letters.
func prepared(password string) []byte { return norm.NFKC.Bytes([]byte(password)) }

// parsePHC reads "$argon2id$v=19$m=…,t=…,p=…$salt$hash".
func parsePHC(s string) (cost PasswordCost, salt, sum []byte, err error) {
	bad := func(what string) (PasswordCost, []byte, []byte, error) {
		return PasswordCost{}, nil, nil, fmt.Errorf("a stored password has %s", what)
	}
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return bad("an unknown form")
	}
	params := strings.Split(parts[3], ",")
	if len(params) != 3 {
		return bad("unknown parameters")
	}
	var n [3]uint64
	for i, p := range params {
		digits, ok := strings.CutPrefix(p, []string{"m=", "t=", "p="}[i])
		if !ok {
			return bad("unknown parameters")
		}
		n[i], err = strconv.ParseUint(digits, 10, 32)
		if err != nil || n[i] == 0 {
			return bad("unknown parameters")
		}
	}
	if n[0] > maxMemory || n[1] > maxPasses || n[2] > maxThreads {
		return bad("parameters beyond all bounds")
	}
	salt, err = base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil || len(salt) < 8 {
		return bad("a damaged salt")
	}
	sum, err = base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(sum) < 16 || len(sum) > 64 {
		return bad("a damaged hash")
	}
	return PasswordCost{Memory: uint32(n[0]), Passes: uint32(n[1]), Threads: uint8(n[2])}, salt, sum, nil
}

//go:embed passwords.txt
var worstText string

// worst holds the words on which the most used passwords are built.
var worst = sync.OnceValue(func() []string {
	var words []string
	for line := range strings.Lines(worstText) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "#") {
			words = append(words, line)
		}
	}
	// Longest first, so that a word is taken whole and not by a shorter one within.
	slices.SortFunc(words, func(a, b string) int { return len(b) - len(a) })
	return words
})

// CheckPassword says in plain words why a password is too easy to guess for the
// person with these names (name, e-mail); nil if it is good enough.
func CheckPassword(password string, own ...string) error {
	if !utf8.ValidString(password) {
		return entente.Invalid("the password holds bytes that are no text; type it again")
	}
	n := utf8.RuneCountInString(password)
	switch {
	case n < MinPassword:
		return entente.Invalid("the password has %d characters; take at least %d, for instance four words that do not belong together", n, MinPassword)
	case len(password) > maxPasswordBytes:
		return entente.Invalid("the password is longer than %d bytes; take a shorter one", maxPasswordBytes)
	}
	plain := fold(password)
	distinct := map[rune]bool{}
	for _, r := range plain {
		distinct[r] = true
	}
	if len(distinct) < 5 {
		return entente.Invalid("the password repeats the same few characters; take something less regular")
	}
	if runs(plain) > n/2 {
		return entente.Invalid("the password follows the order of the keyboard or the alphabet; take something less regular")
	}
	rest := plain
	for _, name := range own {
		for _, part := range strings.FieldsFunc(fold(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			if utf8.RuneCountInString(part) >= 3 {
				rest = strings.ReplaceAll(rest, part, "")
			}
		}
	}
	if rest != plain && utf8.RuneCountInString(rest) < 8 {
		return entente.Invalid("the password is mostly your own name or e-mail address; take something that others do not know of you")
	}
	rest = unleet(plain)
	for _, word := range worst() {
		rest = strings.ReplaceAll(rest, word, "")
	}
	if core := strings.TrimFunc(rest, func(r rune) bool { return !unicode.IsLetter(r) }); rest != unleet(plain) && utf8.RuneCountInString(core) < 5 {
		return entente.Invalid("the password is made of the words that are tried first; take words that do not belong together")
	}
	return nil
}

// fold brings a text to small letters without the accents that guessing tools strip.
func fold(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(s)) {
		if !unicode.Is(unicode.Mn, r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

var leet = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i")

// unleet undoes the usual replacements of letters, but leaves numbers at the end.
func unleet(s string) string {
	head := strings.TrimRightFunc(s, func(r rune) bool { return !unicode.IsLetter(r) })
	return leet.Replace(head) + s[len(head):]
}

// rows are the orders in which fingers and alphabets run.
var rows = []string{"abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "zxcvbnm", "yxcvbnm"}

// runs counts the characters that only continue or repeat the one before.
func runs(s string) int {
	all := []rune(s)
	n := 0
	for i := 1; i < len(all); i++ {
		pair, back := string(all[i-1:i+1]), string([]rune{all[i], all[i-1]})
		if all[i] == all[i-1] || slices.ContainsFunc(rows, func(row string) bool { return strings.Contains(row, pair) || strings.Contains(row, back) }) {
			n++
		}
	}
	return n
}
