package web

import (
	"cmp"
	"context"
	"slices"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
	"github.com/entente-project/entente/internal/web/ui"
)

// homeTask is one thing that waits for the visitor.
type homeTask struct {
	Link ui.Link
	Note string
}

// mostSignIns is how far back Home looks in the journal for the last visit.
const mostSignIns = 2000

// forRole puts on Home what the visitor's role looks after.
func (p *picture) forRole(shown *homePage, r *risks) error {
	v := p.v
	switch v.actor.Role {
	case entente.RoleOwner, entente.RoleSecurityLead, entente.RoleProcurement:
		err := p.supplierTasks(shown)
		if err != nil {
			return err
		}
		return v.invitationTasks(shown)
	case entente.RoleAnalyst:
		return p.toRespond(shown, r)
	case entente.RoleAuditor:
		return v.sinceLastVisit(shown)
	}
	return nil
}

// supplierTasks tells which suppliers nobody can call and whose tier is not decided.
func (p *picture) supplierTasks(shown *homePage) error {
	v := p.v
	suppliers, err := v.supplierRows(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	silent, open := 0, 0
	for i := range suppliers.rows {
		standing := suppliers.rows[i].standing
		if standing == nil {
			continue
		}
		if len(suppliers.rows[i].Contacts) == 0 {
			silent++
		}
		if standing.Assessment.Provisional && !standing.Overridden {
			open++
		}
	}
	if open > 0 {
		shown.Tasks = append(shown.Tasks, homeTask{
			Link: ui.Link{Text: v.N(open, "The tier of %d supplier is not decided", "The tiers of %d suppliers are not decided"), Href: v.in("suppliers") + "?tier=provisional"},
			Note: v.T("Two or more questions about them are open, so the next stricter tier applies until somebody answers."),
		})
	}
	if silent > 0 {
		shown.Tasks = append(shown.Tasks, homeTask{
			Link: ui.Link{Text: v.N(silent, "%d supplier has no contact", "%d suppliers have no contact"), Href: v.in("suppliers") + "?contacts=none&rank=1"},
			Note: v.T("When something breaks there, the map names nobody to call."),
		})
	}
	return nil
}

// invitationTasks tells which invitations are still to be finished.
func (v *visit) invitationTasks(shown *homePage) error {
	if !v.may(identity.InvitationManage) {
		return nil
	}
	all, err := v.Identity.Invitations(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	open := 0
	now := time.Now()
	for i := range all {
		if all[i].Outcome == identity.InvitationOpen && now.Before(all[i].Expires) {
			open++
		}
	}
	if open > 0 {
		shown.Tasks = append(shown.Tasks, homeTask{Link: ui.Link{Text: v.N(open, "%d invitation is not accepted yet", "%d invitations are not accepted yet"), Href: v.in("invitations")}})
	}
	return nil
}

// toRespond puts the newest hits first and tells whom to call about the most urgent.
func (p *picture) toRespond(shown *homePage, r *risks) error {
	if len(r.hits) == 0 {
		return nil
	}
	v := p.v
	order := make([]int, len(r.hits))
	for i := range order {
		order[i] = i
	}
	urgent := func(i int) int {
		if r.hits[i].reached > 0 {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(urgent(a), urgent(b)), r.hits[b].Modified.Compare(r.hits[a].Modified))
	})
	shown.HitsTitle, shown.HitsWhy = v.T("Newest advisories that hit us"), v.T("Those that reach a process come first, the latest change on top.")
	shown.Hits = nil
	for _, i := range order[:min(len(order), hitsOnHome)] {
		shown.Hits = append(shown.Hits, r.hits[i].view(p, ""))
	}
	first := &r.hits[order[0]]
	impact, err := v.Advisory.ImpactOf(v.r.Context(), v.actor, first.ID, advisory.ImpactOptions{Products: 1, Processes: 1, Calls: 3})
	if err != nil {
		return err
	}
	for _, c := range impact.Call {
		shown.Calls = append(shown.Calls, ui.Call{
			Organisation: ui.Link{Text: c.Name, Href: p.path(chain.KindOrganisation, c.Organisation)}, Note: v.capital(sayRank(c.Rank)), People: people(c.Contacts),
		})
	}
	shown.CallsWhy = v.T("About %s, the most urgent of them.", first.ID)
	return nil
}

// narrow leaves on the overview of a business owner what threatens their own
// processes.
func (r *risks) narrow(own []string) *risks {
	mine := &risks{byProcess: map[chain.NodeID][]int{}}
	at := map[int]int{}
	for _, id := range own {
		process := chain.NodeID(id)
		for _, i := range r.byProcess[process] {
			n, known := at[i]
			if !known {
				n = len(mine.hits)
				at[i] = n
				hit := r.hits[i]
				hit.processes, hit.reached = nil, 0
				mine.hits = append(mine.hits, hit)
			}
			mine.byProcess[process] = append(mine.byProcess[process], n)
			mine.hits[n].reached++
			for _, p := range r.hits[i].processes {
				if p.ID == process {
					mine.hits[n].processes = append(mine.hits[n].processes, p)
				}
			}
		}
	}
	mine.total = len(mine.hits)
	return mine
}

// stopsOwn keeps of what stops the processes that are the visitor's own; all, for
// whoever has no processes of their own.
func (v *visit) stopsOwn(stops []chain.ProcessStop) []chain.ProcessStop {
	if !v.ownsProcesses() {
		return stops
	}
	var own []chain.ProcessStop
	for _, s := range stops {
		if slices.Contains(v.actor.Scope, string(s.Process)) {
			own = append(own, s)
		}
	}
	return own
}

// ownsProcesses says whether Home is about the visitor's own processes only.
func (v *visit) ownsProcesses() bool { return v.actor.Role == entente.RoleBusinessOwner }

// sinceLastVisit tells an auditor the state of the journal, what was changed since
// they signed in the time before, and where the evidence is.
func (v *visit) sinceLastVisit(shown *homePage) error {
	ctx := v.r.Context()
	var head int64
	var events []journal.Event
	err := v.DB.Read(ctx, func(tx *db.Tx) (err error) {
		events, head, err = recent(ctx, tx, v.actor.Org)
		return err
	})
	if err != nil {
		return err
	}
	var since time.Time
	signIns, rooms := 0, map[journal.Kind]int{}
	var kinds []journal.Kind
	for _, e := range events {
		if e.Kind == identity.EventSignedIn && e.Person == v.actor.Person {
			if signIns++; signIns == 2 {
				since = e.At
				break
			}
		}
		if e.Kind == identity.EventSignedIn {
			continue
		}
		if rooms[e.Kind]++; rooms[e.Kind] == 1 {
			kinds = append(kinds, e.Kind)
		}
	}
	slices.SortStableFunc(kinds, func(a, b journal.Kind) int { return cmp.Compare(rooms[b], rooms[a]) })
	shown.SinceTitle = v.T("What happened lately")
	if !since.IsZero() {
		shown.SinceTitle = v.T("What happened since %s, when you signed in the time before", v.reader().Moment(since))
	}
	for _, k := range kinds[:min(len(kinds), 8)] {
		shown.Since = append(shown.Since, ui.Row{Cells: []ui.Cell{linkCell(v.kindText(k), v.in("journal")+"?kind="+string(k)), plainCell(v.reader().Count(rooms[k]))}})
	}
	shown.Facts = append([]ui.Fact{{Name: v.T("Events in the journal"), Value: v.reader().Number(head), Note: v.T("each sealed by the hash of the one before"), Href: v.in("journal")}}, shown.Facts...)
	if v.may(identity.JournalVerify) {
		shown.Tasks = append(shown.Tasks, homeTask{Link: ui.Link{Text: v.T("Verify the journal"), Href: v.in("journal", "verify")}, Note: v.T("Recomputes every hash from the first event on, and says where the chain is broken, if it is.")})
	}
	shown.Tasks = append(shown.Tasks, homeTask{Link: ui.Link{Text: v.T("Take the evidence away"), Href: v.in("journal")}, Note: v.T("The journal, filtered as you need it, as CSV or XLSX.")})
	return nil
}

func recent(ctx context.Context, tx *db.Tx, org entente.OrgID) ([]journal.Event, int64, error) {
	head, err := journal.Head(ctx, tx, org)
	if err != nil {
		return nil, 0, err
	}
	events, err := journal.Latest(ctx, tx, org, 0, mostSignIns)
	return events, head, err
}

// addCustomers tells what an organisation that supplies others owes them: what they
// get, and which of our products in it an advisory hits.
func (p *picture) addCustomers(shown *homePage) error {
	m := p.g.Map()
	for i := range m.Supplies {
		y := &m.Supplies[i]
		if y.Supplier != m.Own || y.Customer == m.Own {
			continue
		}
		if len(shown.Customers) == riskOnHome {
			break
		}
		hits := 0
		for _, id := range y.Products {
			found, err := p.v.Advisory.OfProduct(p.v.r.Context(), p.v.actor, id)
			if err != nil {
				return err
			}
			seen := map[string]bool{}
			for j := range found {
				if found[j].State == advisory.Affected && !seen[found[j].Advisory.ID] {
					seen[found[j].Advisory.ID] = true
					hits++
				}
			}
		}
		state := ui.Badge{Text: p.v.T("no advisory hits it"), Tone: ui.Good}
		switch {
		case len(y.Products) == 0:
			state = ui.Badge{Text: p.v.T("no product recorded")}
		case hits > 0:
			state = ui.Badge{Text: p.v.N(hits, "%d advisory hits it", "%d advisories hit it"), Tone: ui.Bad}
		}
		customer := p.named(y.Customer)
		shown.Customers = append(shown.Customers, ui.Row{Cells: []ui.Cell{linkCell(customer.Text, customer.Href), plainCell(y.Name), badgeCell(state)}})
	}
	return nil
}
