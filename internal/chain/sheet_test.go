package chain

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/entente-project/entente"
)

// sheetOf makes a sheet from lines with cells between bars.
func sheetOf(lines ...string) Sheet {
	var s Sheet
	for i, line := range lines {
		cells := strings.Split(line, "|")
		for j := range cells {
			cells[j] = strings.TrimSpace(cells[j])
		}
		if i == 0 {
			s.Heading = cells
			continue
		}
		s.Rows = append(s.Rows, SheetRow{Line: i + 1, Cells: cells})
	}
	return s
}

func everything(NodeKind, NodeID) error { return nil }

func options(kind SheetKind, s Sheet, exists SheetExists) SheetOptions {
	return SheetOptions{Mapping: GuessMapping(kind, s.Heading), Exists: exists, Wrong: WrongPass}
}

func mustPlan(t *testing.T, m *Map, kind SheetKind, s Sheet, exists SheetExists) *SheetPlan {
	t.Helper()
	plan, err := planSheet(m, kind, s, options(kind, s, exists), everything, nil)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func TestGuessMapping(t *testing.T) {
	for _, c := range []struct {
		kind    SheetKind
		heading string
		want    map[string]int
	}{
		{SheetSuppliers, "VENDOR-NAME | Country Code | lei_code | E-Mail Address | Annual spend (EUR) | something", map[string]int{"name": 1, "country": 2, "lei": 3, "email": 4, "spend": 5}},
		{SheetSuppliers, "Name | Supplier | Type", map[string]int{"name": 2, "nature": 3}},
		{SheetProcesses, "Process name | Recovery Time Objective | MTD (hours) | Business Owner", map[string]int{"name": 1, "rto": 2, "mtpd": 3, "owner": 4}},
		{SheetSystems, "Application | Hosted by | Data classification", map[string]int{"name": 1, "operator": 2, "data": 3}},
		{SheetProducts, "product; x | Product | Vendor", map[string]int{"name": 2, "supplier": 3}},
		{SheetContacts, "Company | Contact person | Job title | Tel.", map[string]int{"organisation": 1, "name": 2, "role": 3, "phone": 4}},
	} {
		got := map[string]int{}
		for key, from := range GuessMapping(c.kind, sheetOf(c.heading).Heading) {
			got[key] = from.Column
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s %q: %s", c.kind, c.heading, diff)
		}
	}
	for _, k := range SheetKinds() {
		var labels []string
		for _, c := range SheetColumns(k) {
			labels = append(labels, string(c.Label))
		}
		got := GuessMapping(k, labels)
		for i, c := range SheetColumns(k) {
			if got[c.Key].Column != i+1 {
				t.Errorf("%s: the heading %q of the template is not found as itself", k, c.Label)
			}
		}
	}
}

func TestCells(t *testing.T) {
	day := 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"8h": 8 * time.Hour, "30 min": 30 * time.Minute, "2 days": 2 * day, "1d12h": 36 * time.Hour, "1 day, 12 hours": 36 * time.Hour,
		"1.5 h": 90 * time.Minute, "1,5 h": 90 * time.Minute, "2 weeks": 14 * day, "0": 0, "3 Tage": 3 * day, "1 day and 2 hrs": 26 * time.Hour,
	} {
		if got, err := cellDuration(text, 0); err != nil || got != want {
			t.Errorf("%q is %v, %v; want %v", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"24": "no unit", "soon": "not a duration", "-4h": "not a duration", "3 moons": "counts in", "99999999 weeks": "longer than ten years", "h": "not a duration",
	} {
		if _, err := cellDuration(text, 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", text, err, want)
		}
	}
	if d, err := cellDuration("24", headingUnit("RTO (hours)")); err != nil || d != day {
		t.Errorf("24 under a heading with hours: %v, %v", d, err)
	}
	for text, want := range map[string]int64{
		"120000": 120000, "120,000": 120000, "120.000": 120000, "120.000,50": 120001, "120,000.40": 120000, "1 200": 1200, "€ 1'200": 1200, "EUR 5": 5, "5 EUR": 5,
		"1.2 million": 1200000, "1,5 Mio": 1500000, "12k": 12000, "0": 0, "1.125 million": 1125000,
	} {
		if got, err := cellMoney(text, "EUR", maxSpend); err != nil || got != want {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
	}
	for text, want := range map[string]string{"lots": "not an amount", "5 USD": "in USD", "$5": "in USD", "-3": "not an amount", "999999 billion": "larger than"} {
		if _, err := cellMoney(text, "EUR", maxSpend); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", text, err, want)
		}
	}
	for text, want := range map[string]string{"de": "DE", "Germany": "DE", "UK": "GB", "The Netherlands": "NL", "Viet-Nam": "VN"} {
		if got, err := cellCountry(text); err != nil || got != want {
			t.Errorf("%q is %q, %v; want %q", text, got, err, want)
		}
	}
	if diff := cmp.Diff([]string{"a", "b, c"}, cellList(" a; b, c ;;a")); diff != "" {
		t.Error(diff)
	}
	if d, err := cellDomain("https://www.Nordhost.example/about?x"); err != nil || d != "nordhost.example" {
		t.Errorf("the domain is %q, %v", d, err)
	}
	needs, err := cellNeeds("Portal or Paper forms (4h); Web hosting; Scale (old)")
	if want := []namedNeed{{[]string{"Portal", "Paper forms"}, 4 * time.Hour}, {[]string{"Web hosting"}, 0}, {[]string{"Scale (old)"}, 0}}; err != nil || !cmp.Equal(want, needs, cmp.AllowUnexported(namedNeed{})) {
		t.Errorf("needs: %+v, %v", needs, err)
	}
	rates, err := cellCost("500; from 24h 2,000", "EUR")
	if err != nil || !slices.Equal(rates, []CostRate{{0, 500}, {day, 2000}}) {
		t.Errorf("cost: %v, %v", rates, err)
	}
}

// Every kind of wrong cell is told with its column, in words for people.
func TestWrongCells(t *testing.T) {
	m := readMap(t, "testdata/portal.yaml")
	for _, c := range []struct {
		kind                 SheetKind
		heading, row, column string
		want                 string
	}{
		{SheetSuppliers, "Supplier|Country", "|DE", "Supplier", "it is empty"},
		{SheetSuppliers, "Supplier|Country", "A|Atlantis", "Country", "not a country"},
		{SheetSuppliers, "Supplier|LEI", "A|529900T8BM49AURSDO56", "LEI", "check digits"},
		{SheetSuppliers, "Supplier|Domain", "A|no domain", "Domains", "not a domain"},
		{SheetSuppliers, "Supplier|E-mail", "A|nobody", "E-mail", "not an e-mail address"},
		{SheetSuppliers, "Supplier|Delivers|Nature", "A|Bread|tasty", "Nature", "not one of goods"},
		{SheetSuppliers, "Supplier|Delivers", "A|Bread", "Nature", "missing"},
		{SheetSuppliers, "Supplier|Spend", "A|much", "Spend a year", "not an amount"},
		{SheetSuppliers, "Supplier|Delivers|Nature|Access", "A|Care|service|Portal", "Access to systems", "how far"},
		{SheetSuppliers, "Supplier|Delivers|Nature|Products", "A|Care|service|Portle app", "Products", "does not hold a product"},
		{SheetSuppliers, "Supplier|Owned by", "A|Nimbos Hosting", "Owned by", `did you mean "nimbus"`},
		{SheetSuppliers, "Supplier|Owned by", "A|A", "Owned by", "circle"},
		{SheetSuppliers, "Supplier|ID", "A|Über uns", "ID", "may hold only"},
		{SheetSuppliers, "Supplier|ID", "A|bean-procurement", "ID", "is the ID of a process"},
		{SheetSuppliers, "Supplier", "Beanline GmbH", "Supplier", "your own organisation"},
		{SheetSuppliers, "Supplier|Note", "A|" + strings.Repeat("x", 5000), "Note", "5000 characters"},
		{SheetSuppliers, "Supplier|Contact|Phone", "A|Desk|" + strings.Repeat("1", 300), "Phone", "300 characters"},
		{SheetContacts, "Organisation|Name|For", "nimbus|Ada|" + strings.Repeat("1", 300), "For", "300 characters"},
		{SheetProcesses, "Process|RTO", "A|24", "RTO", "no unit"},
		{SheetProcesses, "Process|RTO|MTPD", "A|3d|8h", "RTO", "longer than the MTPD"},
		{SheetProcesses, "Process|Criticality", "A|highh", "Criticality", "did you mean high"},
		{SheetProcesses, "Process|Cost per hour", "A|500; 400", "Cost per hour", "do not ascend"},
		{SheetProcesses, "Process|Needs", "A|Nothing known", "Needs", "does not hold a thing"},
		{SheetProcesses, "Process|Needs", "A|Nimbus Hosting (4 moons)", "Needs", "counts in"},
		{SheetSystems, "System|Kind", "A|toaster", "Kind", "not one of application"},
		{SheetSystems, "System|Data", "A|juicy", "Data", "not one of public"},
		{SheetSystems, "System|Run by", "A|Nobody Ltd", "Run by", "does not hold an organisation"},
		{SheetSystems, "System|Needs", "A|A", "Needs", "needs itself"},
		{SheetProducts, "Product|SBOM files", "A|../x", "SBOM files", "inside the folder"},
		{SheetProducts, "Product|Supplier", "A|Nobody Ltd", "Supplier", "does not hold an organisation"},
		{SheetContacts, "Organisation|Name", "Nobody Ltd|Ada", "Organisation", "does not hold an organisation"},
		{SheetContacts, "Organisation|Name|E-mail", "Nimbus Hosting|Ada|ada", "E-mail", "not an e-mail address"},
	} {
		plan := mustPlan(t, m, c.kind, sheetOf(c.heading, c.row), ExistsUpdate)
		r := plan.Rows[0]
		if r.Action != RowRefuse || len(r.Problems) == 0 || r.Problems[0].Column != entente.Text(c.column) || !strings.Contains(r.Problems[0].Message.String(), c.want) {
			t.Errorf("%s %q: %s %+v; want %s: %q", c.kind, c.row, r.Action, r.Problems, c.column, c.want)
		}
		if plan.Blocked.Blank() {
			t.Errorf("%s %q: a sheet without a good row is not blocked", c.kind, c.row)
		}
	}
}

// Three bad rows are told by their lines, and so is the good row that refers to one.
func TestBadRowsAreToldByLine(t *testing.T) {
	m := readMap(t, "testdata/portal.yaml")
	s := sheetOf("Supplier|Country|Delivers|Nature|Owned by",
		"Nordhost|DE|Hosting|cloud|", "Badland|Atlantis|Bread|goods|", "Third|DE|Bread|tasty|", "|DE|||", "Child|DE|||Badland", "Good|NO|Fish|goods|Nordhost")
	plan := mustPlan(t, m, SheetSuppliers, s, ExistsSkip)
	var lines []int
	for _, r := range plan.Rows {
		if r.Action == RowRefuse {
			lines = append(lines, r.Line)
		}
	}
	if !slices.Equal(lines, []int{3, 4, 5, 6}) {
		t.Errorf("refused: %v", lines)
	}
	if why := plan.Rows[4].Problems[0].String(); why != `it refers to "Badland" of line 3, which is refused` {
		t.Errorf("the child: %s", why)
	}
	if plan.Counts != (SheetCounts{Rows: 6, Add: 2, Refuse: 4}) || !plan.Blocked.Blank() {
		t.Errorf("%+v %q", plan.Counts, plan.Blocked)
	}
	opt := options(SheetSuppliers, s, ExistsSkip)
	opt.Wrong = WrongStop
	plan, err := planSheet(m, SheetSuppliers, s, opt, everything, nil)
	if err != nil || !strings.Contains(plan.Blocked.String(), "wrong (4)") {
		t.Errorf("%q, %v", plan.Blocked, err)
	}
}

func organisationOf(m *Map, id NodeID) *Organisation {
	i := slices.IndexFunc(m.Organisations, func(o Organisation) bool { return o.ID == id })
	if i < 0 {
		return nil
	}
	return &m.Organisations[i]
}

func TestSuppliersSheet(t *testing.T) {
	m := readMap(t, "testdata/portal.yaml")
	before := readMap(t, "testdata/portal.yaml")
	s := sheetOf("Supplier|ID|Domain|Country|Delivers|Nature|Bespoke|Spend|Contact|Contact for|Phone",
		"Nordhost|||DE|Hosting|SaaS|no|1.2 million|Desk|incident|+49 1",
		"Nordhost|||DE|Backup|cloud|||||",
		"Nordhost|||DE|Backup|cloud|||||",
		"Nordhost|||NO|Mail|cloud|||||",
		"Rosthof Trading|rosthof||SE|||||Ada|security|",
		"Nimbus Operations||nimbus.example|IE||||||",
		"# a note",
		"Röst & Hof|||||||||",
	)
	plan := mustPlan(t, m, SheetSuppliers, s, ExistsUpdate)
	var actions []SheetAction
	for _, r := range plan.Rows {
		actions = append(actions, r.Action)
	}
	if want := []SheetAction{RowAdd, RowAdd, RowRefuse, RowRefuse, RowUpdate, RowUpdate, RowAdd}; !slices.Equal(actions, want) {
		t.Fatalf("%v; want %v: %+v", actions, want, plan.Rows)
	}
	if plan.next == nil {
		t.Fatal(plan.Blocked)
	}
	nordhost, rosthof, ops := organisationOf(plan.next, "nordhost"), organisationOf(plan.next, "rosthof"), organisationOf(plan.next, "nimbus-ops")
	if nordhost == nil || nordhost.Country != "DE" || len(nordhost.Contacts) != 1 || nordhost.Contacts[0] != (Contact{Name: "Desk", Role: "incident", Phone: "+49 1"}) {
		t.Errorf("nordhost: %+v", nordhost)
	}
	if rosthof.Name != "Rosthof Trading" || rosthof.Country != "SE" || len(rosthof.Contacts) != 2 || rosthof.Category != "wholesale coffee seller" {
		t.Errorf("rosthof: %+v", rosthof)
	}
	if ops.Country != "IE" || organisationOf(plan.next, "nimbus").Country != "" {
		t.Errorf("who shares a domain is not told apart by the name: %+v", ops)
	}
	var supplies []string
	for _, y := range plan.next.Supplies[len(m.Supplies):] {
		supplies = append(supplies, fmt.Sprintf("%s %s %s %s %d", y.ID, y.Customer, y.Nature, y.Kind, y.Spend))
	}
	if want := []string{"nordhost-hosting beanline cloud commodity 1200000", "nordhost-backup beanline cloud  0"}; !slices.Equal(supplies, want) {
		t.Errorf("%q; want %q", supplies, want)
	}
	if diff := cmp.Diff(before, m); diff != "" {
		t.Errorf("the plan changed the map it was made for: %s", diff)
	}
	again := mustPlan(t, plan.next, SheetSuppliers, s, ExistsUpdate)
	if again.Counts.Add != 0 || again.Counts.Update != 0 || again.Counts.Same != 5 {
		t.Errorf("the same sheet again: %+v", again.Counts)
	}
	if stop := mustPlan(t, plan.next, SheetSuppliers, s, ExistsStop); !strings.Contains(stop.Blocked.String(), "exist already") {
		t.Errorf("stop: %q", stop.Blocked)
	}
}

func TestOtherSheets(t *testing.T) {
	m := readMap(t, "testdata/portal.yaml")
	products := mustPlan(t, m, SheetProducts, sheetOf("Product|Vendor|Version|Used in|SBOM", "Till|nimbus|2.0|portal|till.json", "Portal app|||portal|"), ExistsUpdate)
	if products.next == nil {
		t.Fatalf("%s %+v", products.Blocked, products.Rows)
	}
	systems := mustPlan(t, products.next, SheetSystems, sheetOf("Application|Type|Hosted by|Data|Needs|Software", "Ledger|database|Nimbus Operations|PII; internal|Till desk|Till", "Till desk|app|||Ledger or nimbus (2h)|"), ExistsSkip)
	if systems.next == nil || systems.Counts.Add != 2 {
		t.Fatalf("%s %+v", systems.Blocked, systems.Rows)
	}
	added := systems.next.Systems[len(m.Systems):]
	if len(added) != 2 || added[0].Kind != SystemDataStore || added[0].Operator != "nimbus-ops" || !slices.Equal(added[0].Products, []NodeID{"till"}) ||
		!slices.Equal(added[0].Data, []Class{ClassPersonal, ClassInternal}) || added[1].Needs[0].Buffer != 2*time.Hour || !slices.Equal(added[1].Needs[0].Any, []NodeID{"ledger", "nimbus"}) {
		t.Errorf("systems: %+v", added)
	}
	processes := mustPlan(t, systems.next, SheetProcesses, sheetOf("Process|Criticality|RTO (hours)|MTPD|Cost|Inputs|Outputs|Activities|Depends on",
		"Book keeping|Hoch|8|2 days|100; from 1d 500|Invoices from Rösthof AS|Books|Post; Close|Ledger", "Bean procurement|||||||Order beans; Check beans|Till desk"), ExistsUpdate)
	if processes.next == nil || processes.Counts != (SheetCounts{Rows: 2, Add: 1, Update: 1, Exist: 1}) {
		t.Fatalf("%s %+v", processes.Blocked, processes.Rows)
	}
	book := processes.next.Processes[len(m.Processes)]
	if book.BIA.Criticality != High || book.BIA.RTO != 8*time.Hour || book.BIA.MTPD != 48*time.Hour || len(book.BIA.Cost) != 2 || book.Inputs[0] != (Item{Name: "Invoices", Party: "rosthof"}) || len(book.Activities) != 2 || book.Activities[0].ID != "book-keeping-post" {
		t.Errorf("book keeping: %+v", book)
	}
	if beans := processes.next.Processes[0]; len(beans.Activities) != 2 || len(beans.Activities[0].Needs) != 2 || beans.BIA.RTO != 24*time.Hour || len(beans.Needs) != 1 {
		t.Errorf("bean procurement: %+v", beans)
	}
	contacts := mustPlan(t, m, SheetContacts, sheetOf("Company|Name|For|Phone|E-mail", "Rösthof AS|Service desk|||DESK@rosthof.example", "rosthof|Ada|security||ada@rosthof.example", "nimbus.example|Bob|||", "rosthof|Ada L|||ada@rosthof.example"), ExistsUpdate)
	if contacts.Counts != (SheetCounts{Rows: 4, Add: 1, Same: 1, Refuse: 2, Exist: 1}) || !strings.Contains(contacts.Rows[2].Problems[0].Message.String(), "the domain of 2 organisations") {
		t.Errorf("contacts: %+v %+v", contacts.Counts, contacts.Rows)
	}
	if got := organisationOf(contacts.next, "rosthof").Contacts; len(got) != 2 || got[1].Role != "security" {
		t.Errorf("contacts: %+v", got)
	}
}

func TestMappingIsChecked(t *testing.T) {
	m := readMap(t, "testdata/portal.yaml")
	s := sheetOf("x|y", "A|B")
	for name, mapping := range map[string]SheetMapping{
		"no name":    {},
		"no column":  {"name": {Column: 3}},
		"twice":      {"name": {Column: 1}, "note": {Column: 1}},
		"fixed name": {"name": {Fixed: "A"}},
	} {
		_, err := planSheet(m, SheetSuppliers, s, SheetOptions{Mapping: mapping, Exists: ExistsSkip, Wrong: WrongPass}, everything, nil)
		if entente.KindOf(err) != entente.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	plan, err := planSheet(m, SheetSuppliers, s, SheetOptions{Mapping: SheetMapping{"name": {Column: 1}, "supply": {Column: 2}, "nature": {Fixed: "goods"}}, Exists: ExistsSkip, Wrong: WrongPass}, everything, nil)
	if err != nil || plan.Counts.Add != 1 || plan.next.Supplies[len(m.Supplies)].Nature != NatureGoods {
		t.Errorf("%+v, %v", plan, err)
	}
}

// bigSheet is suppliers with a supply each, of which every hundredth is wrong.
func bigSheet(n int) Sheet {
	s := sheetOf("Supplier|Country|Delivers|Nature|Spend|Domain|E-mail|Owned by")
	for i := range n {
		nature, parent := "service", ""
		if i%100 == 99 {
			nature = "wrong"
		}
		if i%10 == 5 {
			parent = fmt.Sprintf("Supplier %d", i-1)
		}
		s.Rows = append(s.Rows, SheetRow{Line: i + 2, Cells: []string{fmt.Sprintf("Supplier %d", i), "DE", "Care", nature, "12,000", fmt.Sprintf("s%d.example", i), fmt.Sprintf("desk@s%d.example", i), parent}})
	}
	return s
}

func BenchmarkPlanSheet(b *testing.B) {
	m := layeredMap(20_000, 60_000, 1)
	s := bigSheet(10_000)
	opt := options(SheetSuppliers, s, ExistsUpdate)
	b.ReportAllocs()
	for b.Loop() {
		plan, err := planSheet(m, SheetSuppliers, s, opt, everything, nil)
		if err != nil || plan.Counts.Add != 9900 {
			b.Fatal(plan.Counts, err)
		}
	}
}

func FuzzPlanSheet(f *testing.F) {
	f.Add("suppliers", "Supplier|Country|Delivers|Nature|Owned by\nNordhost|DE|Hosting|cloud|\nX|NO|||Nordhost")
	f.Add("processes", "Process|RTO|MTPD|Cost|Needs|Activities|Inputs\nA|8h|2 days|500; from 1d 7|portal or nimbus (4h)|x; y|Beans from rosthof")
	f.Add("systems", "System|Kind|Data|Needs\nA|db|PII|B\nB|app|secret|A (1h)")
	f.Add("products", "Product|Supplier|Runs in\nA|rosthof|portal")
	f.Add("contacts", "Organisation|Name|E-mail\nrosthof|Ada|ada@x.example\nrosthof|Ada|")
	f.Fuzz(func(t *testing.T, kind, text string) {
		k := SheetKind(kind)
		if !k.Valid() || len(text) > 4000 {
			return
		}
		m := readMap(t, "testdata/portal.yaml")
		s := sheetOf(strings.Split(text, "\n")...)
		plan, err := planSheet(m, k, s, options(k, s, ExistsUpdate), everything, nil)
		if err != nil {
			return
		}
		if strings.HasPrefix(plan.Blocked.String(), "the chain would not hold") {
			t.Fatalf("a row was taken that the map does not: %s", plan.Blocked)
		}
		c := plan.Counts
		if c.Rows != c.Add+c.Update+c.Same+c.Skip+c.Refuse || c.Rows != len(plan.Rows) {
			t.Fatalf("%+v for %d rows", c, len(plan.Rows))
		}
		if plan.next == nil {
			return
		}
		back, err := undone(plan.next, undoOf(m, plan.next, plan.touched))
		if err != nil {
			t.Fatal(err)
		}
		back.Sort()
		m.Sort()
		if diff := cmp.Diff(m, back); diff != "" {
			t.Fatal(diff)
		}
	})
}
