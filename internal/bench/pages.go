package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/identity/seal"
	"github.com/entente-project/entente/internal/inventory"
	"github.com/entente-project/entente/internal/journal"
	"github.com/entente-project/entente/internal/notify"
	"github.com/entente-project/entente/internal/partner"
	"github.com/entente-project/entente/internal/search"
	site "github.com/entente-project/entente/internal/web"
)

// The estate of part f, and what its pages may cost.
const (
	pageSuppliers = 10_000
	pageProcesses = 500
	pageDocuments = 200 // of 500 components each
	pageTarget    = 50 * time.Millisecond
	scriptTarget  = 20_000 // bytes, packed
	pageRounds    = 200
	pageLeast     = 20               // rounds of a page that takes longer than pageTime
	pageTime      = 10 * time.Second // of all its rounds
	pageWarmUp    = 3
	pageMoves     = 20 // visits until the journal moves again
	pageChanges   = 3
	pageExamples  = 100 // different things of a kind that are visited
)

// unmeasured are routes that answer for as long as somebody listens, or about what
// only a browser can make: a passkey.
var unmeasured = []string{"/o/{org}/live", "/o/{org}/account/passkeys/{id}/remove"}

// downloads are routes that give away everything at once: reported, but no pages.
var downloads = []string{"/o/{org}/map.yaml", "/o/{org}/inbox/{id}/file"}

// pages measures every kind of page over HTTP on SQLite: all routes of the list that
// show something of the organisation.
func (b *bench) pages(ctx context.Context) (err error) {
	folder := filepath.Join(b.stage.dir, "pages")
	if b.keep != "" {
		folder = filepath.Join(b.keep, "pages")
	}
	_, missing := os.Stat(filepath.Join(folder, "entente.db"))
	e, err := openFolder(ctx, folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.db.Close()) }()
	told, err := tellerOf(e)
	if err != nil {
		return err
	}
	if missing == nil {
		fmt.Printf("    %s is filled already\n", folder)
	} else {
		began := time.Now()
		err = b.fillPages(ctx, e, told)
		if err != nil {
			return err
		}
		b.fact("f", fmt.Sprintf("filled: %d suppliers, %d components", pageSuppliers, e.filled.components), durationText(time.Since(began)))
	}
	t, err := exchangeOf(ctx, e)
	if err != nil {
		return err
	}
	pages, err := site.New(site.Config{
		DB: e.db, Identity: e.identity, Chain: e.chain, Inventory: e.inventory, Advisory: e.advisory, Partner: partner.New(e.db, e.chain), Notify: told, Exchange: t.Service,
		Threat: t.threat, Carry: t.carry, Search: search.New(e.chain, e.inventory, e.advisory, e.identity), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	address, stop, err := serve(pages)
	if err != nil {
		return err
	}
	defer stop()
	visitor, err := signIn(ctx, address)
	if err != nil {
		return err
	}
	err = b.allPages(ctx, e, told, t, visitor)
	return errors.Join(err, b.weigh(ctx, visitor, "/o/"+string(org)+"/suppliers"))
}

// allPages measures route by route. One that fails does not keep the others from
// being measured.
func (b *bench) allPages(ctx context.Context, e *estate, told *notify.Service, t *talk, visitor *browser) error {
	examples, err := examplesOf(ctx, e, told)
	if err != nil {
		return err
	}
	said, err := t.examples(ctx)
	if err != nil {
		return err
	}
	maps.Copy(examples, said)
	stopProfile, err := b.profiled("pages")
	if err != nil {
		return err
	}
	defer stopProfile()
	var failed []error
	for _, r := range site.Routes() {
		if r.Method != http.MethodGet || r.Door != site.ByVerb || slices.Contains(unmeasured, r.Pattern) || !strings.Contains(r.Pattern, b.only) {
			continue
		}
		paths := examplePaths(r.Pattern, examples)
		if len(paths) == 0 {
			failed = append(failed, fmt.Errorf("the route %s has no example; add one to examplesOf", r.Pattern))
			continue
		}
		err := b.page(ctx, e, visitor, r.Pattern, paths)
		if err != nil {
			failed = append(failed, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(failed...)
}

// page measures one kind of page, each visit with the next of its examples. In between
// somebody signs in, so that the journal moves as it does in use.
func (b *bench) page(ctx context.Context, e *estate, v *browser, pattern string, paths []string) error {
	var took spread
	var work time.Duration
	size, first := 0, time.Now()
	for i := range pageRounds + pageWarmUp {
		if i >= pageLeast+pageWarmUp && time.Since(first) > pageTime {
			break
		}
		if i%pageMoves == pageMoves-1 {
			err := e.signedIn(ctx)
			if err != nil {
				return err
			}
		}
		if i == pageWarmUp {
			work = -processorTime()
		}
		spent, body, err := v.timed(ctx, paths[i%len(paths)])
		if err != nil {
			return err
		}
		if i >= pageWarmUp {
			took = append(took, spent)
		}
		size = max(size, body)
	}
	work = (work + processorTime()) / time.Duration(len(took))
	name := strings.Replace(pattern, "/o/{org}", "…", 1)
	if slices.Contains(downloads, pattern) {
		b.fact("f", "download "+name+", p50", fmt.Sprintf("%s, %s", durationText(took.at(.5)), sizeText(int64(size))))
		return nil
	}
	var after spread
	for range pageChanges {
		err := e.changeChain(ctx)
		if err != nil {
			return err
		}
		spent, _, err := v.timed(ctx, paths[0])
		if err != nil {
			return err
		}
		after = append(after, spent)
	}
	b.below("f", "page "+name+", p99", took.at(.99), pageTarget, fmt.Sprintf("p50 %s, least %s, processor time %s; first after a change of the chain %s; %s",
		durationText(took.at(.5)), durationText(took.at(0)), durationText(work), durationText(after.at(.5)), sizeText(int64(size))))
	return nil
}

// timed asks for a page and reads it, and gives its size on the way.
func (v *browser) timed(ctx context.Context, path string) (time.Duration, int, error) {
	began := time.Now()
	status, body, err := v.get(ctx, path)
	spent := time.Since(began)
	if err == nil && status >= http.StatusBadRequest {
		err = fmt.Errorf("GET %s: %d", path, status)
	}
	return spent, len(body), err
}

// processorTime is what this process has used of the processors, with the visitor and
// the clearing up; to a hundredth of a second.
func processorTime() time.Duration {
	used, err := process(os.Getpid()).cpu()
	if err != nil {
		return 0
	}
	return time.Duration(used * float64(time.Second))
}

// signedIn lets the journal move without anything that pages show having changed.
func (e *estate) signedIn(ctx context.Context) error {
	return e.db.Write(ctx, org, func(tx *db.Tx) error {
		return journal.Append(ctx, tx, system(), identity.EventSignedIn, "somebody", nil)
	})
}

// changeChain gives a process another owner.
func (e *estate) changeChain(ctx context.Context) error {
	g, err := e.chain.Graph(ctx, system())
	if err != nil {
		return err
	}
	p, _ := g.Process(id("process", 7))
	other := *p
	other.Owner = fmt.Sprintf("Operations after revision %d", g.Revision())
	_, err = e.chain.PutProcess(ctx, system(), other, 0)
	return err
}

var (
	scripts = regexp.MustCompile(`<script[^>]* src="([^"]+)"`)
	styles  = regexp.MustCompile(`<link[^>]* rel="stylesheet"[^>]* href="([^"]+)"|<link[^>]* href="([^"]+)"[^>]* rel="stylesheet"`)
	spare   = regexp.MustCompile(`\{[a-z]+\}`)
)

// weigh adds up what a browser that knows nothing loads for a plain page.
func (b *bench) weigh(ctx context.Context, v *browser, path string) error {
	_, body, err := v.get(ctx, path)
	if err != nil {
		return err
	}
	text, err := unpacked(body)
	if err != nil {
		return err
	}
	script, all := 0, len(body)
	for _, found := range slices.Concat(scripts.FindAllStringSubmatch(text, -1), styles.FindAllStringSubmatch(text, -1)) {
		_, part, err := v.get(ctx, strings.Join(found[1:], ""))
		if err != nil {
			return err
		}
		all += len(part)
		if strings.HasPrefix(found[0], "<script") {
			script += len(part)
		}
	}
	b.within("f", "script of a plain page, packed", int64(script), scriptTarget, "list of suppliers")
	b.fact("f", "all of a plain page, packed", sizeText(int64(all)))
	return nil
}

// examplePaths puts things of the estate into the wildcards of a pattern; none if it
// has no examples.
func examplePaths(pattern string, examples map[string][]string) []string {
	path := strings.Replace(strings.TrimSuffix(pattern, "{$}"), "{org}", string(org), 1)
	things := []string{""}
	if spare.MatchString(path) {
		longest := ""
		for prefix := range examples {
			if strings.HasPrefix(pattern, prefix) && len(prefix) > len(longest) {
				longest = prefix
			}
		}
		things = examples[longest]
	}
	var paths []string
	for _, thing := range things {
		paths = append(paths, spare.ReplaceAllLiteralString(path, url.PathEscape(thing)))
	}
	questions := examples["?"+pattern]
	if len(questions) == 0 || len(paths) == 0 {
		return paths
	}
	asked := make([]string, max(len(paths), len(questions)))
	for i := range asked {
		asked[i] = paths[i%len(paths)] + questions[i%len(questions)]
	}
	return asked
}

// fillPages makes the estate, through the same services that serve people.
func (b *bench) fillPages(ctx context.Context, e *estate, told *notify.Service) error {
	f, err := b.theFleet()
	if err != nil {
		return err
	}
	err = e.found(ctx)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(b.seed, 6))
	_, err = e.chain.Import(ctx, system(), landscape(rng, pageSuppliers, pageProcesses, pageDocuments))
	if err != nil {
		return err
	}
	err = b.recordPages(ctx, e, f, rng)
	if err != nil {
		return err
	}
	_, err = e.chain.KeepSheet(ctx, system(), chain.SheetSuppliers, "suppliers.csv", chain.Sheet{
		Heading: []string{"Supplier", "Country"}, Rows: []chain.SheetRow{{Line: 2, Cells: []string{"Newcomer", "DE"}}, {Line: 3, Cells: []string{"Elsewhere", "Atlantis"}}},
	})
	if err != nil {
		return err
	}
	_, _, err = told.CreateHook(ctx, system(), notify.NewHook{Name: "Desk", URL: "https://desk.bench.example/", Kinds: []journal.Kind{identity.EventOrganisationRenamed}})
	return err
}

// tellerOf makes the service that tells other programs.
func tellerOf(e *estate) (*notify.Service, error) {
	key, err := seal.New(bytes.Repeat([]byte("k"), 32))
	if err != nil {
		return nil, err
	}
	return notify.New(e.db, e.identity, notify.Config{Key: key, Log: slog.New(slog.DiscardHandler)}), nil
}

// examplesOf finds things of the estate for the wildcards of the routes, and
// questions for those that answer one.
func examplesOf(ctx context.Context, e *estate, told *notify.Service) (map[string][]string, error) {
	hooks, err := told.Hooks(ctx, system())
	if err != nil {
		return nil, err
	}
	members, err := e.identity.Members(ctx, system())
	if err != nil {
		return nil, err
	}
	invitation, token, err := waysIn(ctx, e, members[0].Person.ID)
	if err != nil {
		return nil, err
	}
	hits, _, err := e.advisory.List(ctx, system(), advisory.Query{Hits: true, Order: advisory.ByHits, Limit: pageExamples})
	if err != nil {
		return nil, err
	}
	g, err := e.chain.Graph(ctx, system())
	if err != nil {
		return nil, err
	}
	flows := g.Map().Flows
	if len(hits) == 0 || len(hooks) == 0 || len(flows) == 0 {
		return nil, errors.New("the estate has no advisory that hits, no webhook or no flow")
	}
	packages, _, err := e.inventory.Packages(ctx, system(), inventory.PackageQuery{Page: inventory.Page{Limit: pageExamples}})
	if err != nil {
		return nil, err
	}
	some := func(text func(i int) string) []string {
		all := make([]string, pageExamples)
		for i := range all {
			all[i] = text(i)
		}
		return all
	}
	thing := func(kind string, count int) []string {
		return some(func(i int) string { return string(id(kind, i*count/pageExamples)) })
	}
	return map[string][]string{
		"/o/{org}/processes/": thing("process", pageProcesses), "/o/{org}/systems/": thing("system", 2*pageProcesses), "/o/{org}/suppliers/": thing("supplier", pageSuppliers),
		"/o/{org}/products/": thing("product", pageDocuments), "/o/{org}/supplies/": thing("supply", pageSuppliers),
		"/o/{org}/flows/":      some(func(i int) string { return string(flows[i*len(flows)/pageExamples].ID) }),
		"/o/{org}/documents/":  some(func(i int) string { return strconv.Itoa(1 + i*pageDocuments/pageExamples) }),
		"/o/{org}/components/": some(func(i int) string { return strconv.Itoa(int(packages[i%len(packages)].ID)) }),
		"/o/{org}/advisories/": some(func(i int) string { return hits[i%len(hits)].ID }),
		"/o/{org}/people/":     {string(members[0].Person.ID)}, "/o/{org}/webhooks/": {hooks[0].ID}, "/o/{org}/import/": {"1"}, "/o/{org}/changes/": {"1"},
		"/o/{org}/invitations/": {invitation}, "/o/{org}/tokens/": {token},
		"?/o/{org}/search": some(func(i int) string {
			words := []string{fmt.Sprintf("supplier %d", i), strings.Fields(hits[i%len(hits)].Summary + " overflow")[0], packages[i%len(packages)].Name, hits[i%len(hits)].ID}
			return "?q=" + url.QueryEscape(words[i%len(words)])
		}),
		"?/o/{org}/import/template": {"?kind=suppliers&format=csv"},
		"?/o/{org}/what-if":         some(func(i int) string { return "?down=" + string(id("supplier", i)) }),
		"?/o/{org}/what-if/moment":  some(func(i int) string { return "?down=" + string(id("supplier", i)) }),
		"?/o/{org}/graph/ways": some(func(i int) string {
			process := id("process", i*pageProcesses/pageExamples)
			behind := g.HangsOn(process)
			return "?process=" + string(process) + "&from=" + string(behind[len(behind)-1].ID)
		}),
	}, nil
}

// waysIn makes an invitation of a colleague and an API token, for the pages that ask
// before they are taken away.
func waysIn(ctx context.Context, e *estate, person entente.PersonID) (invitation, token string, err error) {
	_, invited, err := e.identity.Invite(ctx, system(), identity.NewInvitation{Email: "colleague@bench.example", Role: entente.RoleAuditor})
	if err != nil {
		return "", "", err
	}
	owner, err := e.identity.Actor(ctx, person, org, entente.DoorPage)
	if err != nil {
		return "", "", err
	}
	_, made, err := e.identity.CreateToken(ctx, owner, identity.NewToken{Name: "Bench", Verbs: []identity.Verb{identity.ChainRead}})
	return invited.ID, made.ID, err
}

// recordPages records the documents and all advisories.
func (b *bench) recordPages(ctx context.Context, e *estate, f *fleet, rng *rand.Rand) error {
	var text bytes.Buffer
	for i := range pageDocuments {
		var components []coordinates
		for _, p := range f.draw(rng, b.components) {
			components = append(components, coordinatesOf(f.purls[p]))
		}
		text.Reset()
		err := writeCycloneDX(&text, fmt.Sprintf("Product %d", i), components)
		if err != nil {
			return err
		}
		doc, _, err := e.inventory.Record(ctx, system(), id("product", i), fmt.Sprintf("product-%d.cdx.json", i), &text)
		if err != nil {
			return err
		}
		e.filled.components += doc.Components
	}
	_, err := e.advisory.Ingest(ctx, system(), advisory.FromPath(f.advisories), advisory.IngestOptions{})
	if err != nil {
		return err
	}
	return e.runner.CatchUp(ctx, org)
}

// browser asks for pages as somebody who is signed in does: packed, on one connection.
type browser struct {
	address string
	cookie  *http.Cookie
	http    *http.Client
}

func signIn(ctx context.Context, address string) (*browser, error) {
	v := &browser{address: address, http: &http.Client{
		Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 1},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	form := url.Values{"email": {"owner@bench.example"}, "password": {"a password of the bench"}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/sign-in", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	answer, err := v.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if len(answer.Cookies()) == 0 {
		return nil, fmt.Errorf("signing in: %d", answer.StatusCode)
	}
	v.cookie = answer.Cookies()[0]
	return v, nil
}

func (v *browser) get(ctx context.Context, path string) (status int, body []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, v.address+path, nil)
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Accept-Encoding", "gzip")
	r.AddCookie(v.cookie)
	answer, err := v.http.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	body, err = io.ReadAll(answer.Body)
	return answer.StatusCode, body, err
}

// unpacked gives the text of a packed answer.
func unpacked(body []byte) (string, error) {
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(r)
	return string(text), err
}
