package web

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/inventory"
	"github.com/entente-project/entente/internal/web/lang"
	"github.com/entente-project/entente/internal/web/ui"
)

func homeRoutes() []Route {
	return []Route{page("/o/{org}", identity.OrganisationRead, (*visit).home)}
}

// How much of each kind Home shows.
const (
	hitsOnHome   = 6
	singleOnHome = 6
	riskOnHome   = 8
	silentOnHome = 5
)

// home answers what needs the visitor now.
func (v *visit) home() error {
	shown := homePage{Frame: v.frame(v.T("Home")), Title: v.org.Name}
	if !v.may(identity.ChainRead) {
		shown.Lead = v.T("You are a guest of %s. Nothing waits for you here at the moment.", v.org.Name)
		return v.show(http.StatusOK, homeView(shown))
	}
	p, err := v.picture()
	if err != nil {
		return err
	}
	risks, err := v.risks()
	if err != nil {
		return err
	}
	totals, err := v.advisoryTotals()
	if err != nil {
		return err
	}
	silent, silentTotal, err := v.productsIn(inventory.NotAssessable, silentOnHome)
	if err != nil {
		return err
	}
	_, assessable, err := v.productsIn(inventory.AssessableOnes, 1)
	if err != nil {
		return err
	}
	shown.Title = v.T("What needs you")
	shown.Steps = v.nextSteps(p, assessable+silentTotal > 0, totals.Records > 0)
	shown.Filled = p.g.Revision() > 0
	err = errors.Join(v.inboxTasks(&shown), v.exchangeTasks(&shown))
	if err != nil {
		return err
	}
	if !shown.Filled {
		shown.Lead = v.T("%s has only begun. Three steps, and this page answers who is hit when something breaks.", v.org.Name)
		return v.show(http.StatusOK, homeView(shown))
	}
	if v.ownsProcesses() {
		risks = risks.narrow(v.actor.Scope)
	}
	shown.HitsTitle, shown.HitsWhy = v.T("Advisories that hit us"), v.T("The most severe first. Each says which process it reaches, and by which way.")
	shown.RiskTitle = v.T("Processes at risk")
	p.fillHome(&shown, risks)
	err = p.forRole(&shown, risks)
	if err == nil {
		err = p.addCustomers(&shown)
	}
	if err != nil {
		return err
	}
	if v.ownsProcesses() {
		shown.HitsTitle, shown.RiskTitle = v.T("Advisories that reach your processes"), v.T("Your processes at risk")
		if risks.total == 0 {
			shown.NoHits = ui.Empty{Title: v.T("No advisory reaches a process of yours")}
		}
		return v.show(http.StatusOK, homeView(shown))
	}
	if risks.total == 0 {
		shown.NoHits = v.noAdvisories(totals)
	}
	shown.Facts = append(shown.Facts, ui.Fact{Name: v.T("Not assessable"), Value: v.reader().Count(silentTotal), Note: v.T("products whose documents say too little"), Href: v.in("products") + "?state=" + string(inventory.NotAssessable)})
	for i := range silent {
		shown.NotAssessable = append(shown.NotAssessable, v.silentRow(&silent[i]))
	}
	return v.show(http.StatusOK, homeView(shown))
}

func (v *visit) productsIn(state inventory.ProductState, limit int) ([]inventory.Product, int, error) {
	ask := inventory.ProductQuery{State: state, Page: inventory.Page{Limit: limit}}
	return listAtHead(v, asked{"products", ask, []string{fromChain, fromInventory}}, func() ([]inventory.Product, int, error) {
		return v.Inventory.Products(v.r.Context(), v.actor, ask)
	})
}

// nextSteps tells an organisation that has only begun what to do; nil once all is done.
func (v *visit) nextSteps(p *picture, documents, advisories bool) []homeStep {
	mapped := p.g.Revision() > 0
	if mapped && documents && advisories {
		return nil
	}
	steps := []homeStep{
		{Title: v.T("Draw your chain"), Text: v.T("Add a process and what it needs, or bring in what you have as a sheet or a map."), Done: mapped},
		{Title: v.T("Record what products are made of"), Text: v.T("Ask your suppliers for bills of materials, and record one for each product."), Done: documents},
		{Title: v.T("Bring in advisories"), Text: v.T("Record advisories in the OSV format. From then on, each new one says at once whom it hits."), Done: advisories},
	}
	if ways := v.beginnings(chain.KindProcess); len(ways) > 0 {
		steps[0].Next, steps[0].More = ways[0], ways[1:]
	}
	if mapped && v.may(identity.InventoryUpload) {
		steps[1].Next = ui.Link{Text: v.T("Go to the products"), Href: v.in("products") + "?state=" + string(inventory.WithoutDocument)}
	}
	if v.may(identity.AdvisoryEdit) {
		steps[2].Next = ui.Link{Text: v.T("Record advisories"), Href: v.in("record-advisories")}
	}
	return steps
}

func (p *picture) fillHome(shown *homePage, r *risks) {
	m := p.g.Map()
	c := p.g.Concentration()
	v, count := p.v, p.v.reader().Count
	reaching := 0
	for i := range r.hits {
		h := &r.hits[i]
		if h.reached > 0 {
			reaching++
		}
		if len(shown.Hits) < hitsOnHome {
			shown.Hits = append(shown.Hits, h.view(p, ""))
		}
	}
	if r.total > len(shown.Hits) {
		shown.AllHits = ui.Link{Text: v.T("All %d advisories that hit us", r.total), Href: p.v.in("advisories")}
	}
	processes := len(m.Processes)
	if v.ownsProcesses() {
		processes = len(v.actor.Scope)
	}
	shown.Lead = v.homeLead(r, reaching, processes)
	shown.Facts = []ui.Fact{
		{Name: v.T("Advisories that hit us"), Value: count(r.total), Note: v.N(reaching, "%d reaches a process", "%d reach a process"), Href: p.v.in("advisories")},
		{Name: v.T("Processes at risk"), Value: count(len(r.byProcess)), Note: v.T("of %d", processes), Href: p.v.in("processes") + "?risk=hit"},
		{Name: v.T("Single points of failure"), Value: count(len(c.Dependences)), Note: v.T("%d without a contract with you", c.Hidden), Href: p.v.in("concentration")},
	}
	if v.ownsProcesses() {
		shown.Lead = v.ownLead(r, processes)
		shown.Facts = shown.Facts[1:2]
	}
	p.addRisks(shown, r)
	for i := range c.Dependences {
		stops := v.stopsOwn(c.Dependences[i].Stops)
		if len(stops) == 0 {
			continue
		}
		if len(shown.Single) == singleOnHome {
			shown.AllSingle = ui.Link{Text: v.T("All %d single points of failure", len(c.Dependences)), Href: p.v.in("concentration")}
			break
		}
		d := &c.Dependences[i]
		shown.Single = append(shown.Single, ui.Row{Cells: []ui.Cell{
			linkCell(d.Name, p.path(chain.KindOrganisation, d.Organisations[0])), v.rankCell(d.Rank), v.stopsCell(stops),
		}})
	}
}

// ownLead says to a business owner how it stands with their own processes.
func (v *visit) ownLead(r *risks, own int) string {
	switch {
	case own == 0:
		return v.T("No process is assigned to you yet; an owner of the organisation can do that.")
	case r.total == 0:
		return v.N(own, "No known advisory reaches your process.", "No known advisory reaches one of your %d processes.")
	}
	return v.N(r.total, "%d advisory reaches %d of your %s.", "%d advisories reach %d of your %s.", r.total, len(r.byProcess), entente.Plural(own, "%d process", "%d processes"))
}

func (v *visit) homeLead(r *risks, reaching, processes int) string {
	switch {
	case r.total == 0:
		return v.T("No known advisory hits a component that you know of.")
	case len(r.byProcess) == 0:
		return v.N(r.total, "%d advisory hits your products; it reaches no process.", "%d advisories hit your products; none of them reaches a process.")
	}
	return v.N(reaching, "%d advisory reaches %d of your %s.", "%d advisories reach %d of your %s.", reaching, len(r.byProcess), entente.Plural(processes, "%d process", "%d processes"))
}

// addRisks adds the processes at risk, the most critical first.
func (p *picture) addRisks(shown *homePage, r *risks) {
	type risk struct {
		process *chain.Process
		hits    int
	}
	var at []risk
	for id, hits := range r.byProcess {
		if process, ok := p.g.Process(id); ok {
			at = append(at, risk{process, len(hits)})
		}
	}
	slices.SortFunc(at, func(a, b risk) int {
		return cmp.Or(cmp.Compare(criticalityOrder(a.process.BIA.Criticality), criticalityOrder(b.process.BIA.Criticality)), cmp.Compare(b.hits, a.hits), strings.Compare(a.process.Name, b.process.Name))
	})
	for _, one := range at[:min(len(at), riskOnHome)] {
		shown.AtRisk = append(shown.AtRisk, ui.Row{Cells: []ui.Cell{
			linkCell(one.process.Name, p.path(chain.KindProcess, one.process.ID)), badgeCell(p.v.criticalityBadge(one.process.BIA.Criticality)), r.cell(p.v, one.process.ID),
		}})
	}
}

func (v *visit) silentRow(product *inventory.Product) ui.Row {
	_, why := v.contents(product)
	document := ui.Cell{}
	if len(product.Documents) > 0 {
		d := &product.Documents[0]
		document = linkCell(cmp.Or(d.File, d.Subject, v.T("document")), v.documentPath(d.ID))
	}
	return ui.Row{Cells: []ui.Cell{
		{Text: product.Name, Href: v.in("products", string(product.ID)), Note: product.SupplierName}, document, plainCell(lang.Capital(why)),
	}}
}
