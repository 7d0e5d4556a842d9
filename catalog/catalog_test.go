package catalog

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/entente-project/entente"
)

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := fs.ReadFile(Files(), name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestOrganisationsHoldTogether(t *testing.T) {
	seen := map[string]bool{}
	for _, org := range Organisations() {
		if err := entente.ValidSlug(org.ID); err != nil {
			t.Error(err)
		}
		if org.Map != "" && !strings.Contains(string(read(t, org.Map)), "\norganisation: "+org.ID+"\n") {
			t.Errorf("%s is not the map of %s", org.Map, org.ID)
		}
		if len(org.People) == 0 || entente.Role(org.People[0].Role) != entente.RoleOwner {
			t.Errorf("%s: the first person is not the owner", org.ID)
		}
		for _, p := range org.People {
			if !entente.Role(p.Role).Valid() {
				t.Errorf("%s has the unknown role %q", p.Email, p.Role)
			}
			if seen[p.Email] || !strings.HasSuffix(p.Email, ".example") {
				t.Errorf("%s is there twice, or could be a real address", p.Email)
			}
			seen[p.Email] = true
		}
	}
}

// Whoever becomes a partner or says something is there, and says it as one of its people.
func TestStatementsHoldTogether(t *testing.T) {
	people := map[string]map[string]bool{}
	for _, org := range Organisations() {
		people[org.ID] = map[string]bool{}
		for _, p := range org.People {
			people[org.ID][p.Email] = true
		}
	}
	for _, org := range Organisations() {
		if org.Host != "" && people[org.Host] == nil {
			t.Errorf("%s has a seat with %s, who is not there", org.ID, org.Host)
		}
	}
	partners := map[[2]string]bool{}
	for _, p := range Partnerships() {
		if people[p.Inviter] == nil || people[p.Invitee] == nil || !p.Buys && !p.Supplies {
			t.Errorf("the partnership of %s and %s does not hold", p.Inviter, p.Invitee)
		}
		partners[[2]string{p.Inviter, p.Invitee}], partners[[2]string{p.Invitee, p.Inviter}] = true, true
	}
	for _, c := range Compared() {
		if !partners[c] {
			t.Errorf("%s compares the words of %s, and they are no partners", c[0], c[1])
		}
	}
	for _, one := range Tellings() {
		if !people[one.From][one.By] || !partners[[2]string{one.From, one.To}] {
			t.Errorf("%s cannot tell %s of its suppliers", one.From, one.To)
		}
	}
	for _, s := range Statements() {
		if !people[s.From][s.By] {
			t.Errorf("%s says %q, and has nobody with the address %s", s.From, s.Title, s.By)
		}
		for _, to := range s.To {
			if !partners[[2]string{s.From, to}] {
				t.Errorf("%s says %q to %s, and they are no partners", s.From, s.Title, to)
			}
		}
		body := []byte(s.Body)
		if !strings.HasPrefix(s.Body, "{") {
			body = read(t, s.Body)
		}
		if !json.Valid(body) {
			t.Errorf("%q is no JSON", s.Title)
		}
		if s.Blob != "" {
			read(t, s.Blob)
		}
	}
}

// Nothing in the demonstration can reach or name somebody real: addresses end in
// .example (RFC 2606), and telephone numbers lie in the blocks that the German
// regulator keeps free for books and films.
func TestAddressesAndNumbersAreReserved(t *testing.T) {
	email := regexp.MustCompile(`[\w.]+@([\w.]+)`)
	phone := regexp.MustCompile(`phone: (.+?)\}`)
	free := regexp.MustCompile(`^\+49 (30 23125|69 90009|40 66969|221 4710|89 99998) \d{3}$`)
	for _, org := range Organisations() {
		if org.Map == "" {
			continue
		}
		text := string(read(t, org.Map))
		for _, m := range email.FindAllStringSubmatch(text, -1) {
			if !strings.HasSuffix(m[1], ".example") {
				t.Errorf("%s: %s could be somebody's address", org.Map, m[0])
			}
		}
		for _, m := range phone.FindAllStringSubmatch(text, -1) {
			if !free.MatchString(m[1]) {
				t.Errorf("%s: %s could be somebody's number", org.Map, m[1])
			}
		}
	}
}

func TestDocumentsAreWellFormed(t *testing.T) {
	kinds := map[string]int{}
	for _, dir := range []string{SBOMs, Advisories} {
		entries, err := fs.ReadDir(Files(), dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			name := path.Join(dir, entry.Name())
			text := read(t, name)
			kinds[path.Ext(name)]++
			switch path.Ext(name) {
			case ".json":
				if !json.Valid(text) {
					t.Errorf("%s is not JSON", name)
				}
			case ".xml":
				d := xml.NewDecoder(strings.NewReader(string(text)))
				for {
					if _, err := d.Token(); err != nil {
						if !errors.Is(err, io.EOF) {
							t.Errorf("%s: %v", name, err)
						}
						break
					}
				}
			}
		}
	}
	if kinds[".json"] < 20 || kinds[".xml"] < 1 || kinds[".spdx"] < 1 {
		t.Errorf("the variety of formats is lost: %v", kinds)
	}
}

// An advisory file is named after its record, and among the records are one that
// was withdrawn and two that are names of one finding.
func TestAdvisories(t *testing.T) {
	entries, err := fs.ReadDir(Files(), Advisories)
	if err != nil {
		t.Fatal(err)
	}
	withdrawn, aliased, ids := 0, 0, []string{}
	records := map[string][]string{}
	for _, entry := range entries {
		var r struct {
			ID        string   `json:"id"`
			Withdrawn string   `json:"withdrawn"`
			Aliases   []string `json:"aliases"`
			Affected  []any    `json:"affected"`
		}
		if err := json.Unmarshal(read(t, path.Join(Advisories, entry.Name())), &r); err != nil {
			t.Errorf("%s: %v", entry.Name(), err)
		}
		if r.ID+".json" != entry.Name() || len(r.Affected) == 0 {
			t.Errorf("%s holds the record %q with %d affected packages", entry.Name(), r.ID, len(r.Affected))
		}
		if r.Withdrawn != "" {
			withdrawn++
		}
		ids, records[r.ID] = append(ids, r.ID), r.Aliases
	}
	for _, aliases := range records {
		for _, alias := range aliases {
			if slices.Contains(ids, alias) {
				aliased++
			}
		}
	}
	if withdrawn == 0 || aliased == 0 {
		t.Errorf("%d withdrawn and %d aliased records", withdrawn, aliased)
	}
}
