package chain

import (
	"cmp"
	"slices"
	"strings"

	"github.com/entente-project/entente"
)

var sheetNodes = map[SheetKind]NodeKind{
	SheetSuppliers: KindOrganisation, SheetProcesses: KindProcess, SheetSystems: KindSystem,
	SheetProducts: KindProduct, SheetContacts: KindOrganisation,
}

// identify finds what a row is about: something that exists, or something new.
func (p *planner) identify(r *row) {
	if r.wrong() || r.Action == RowSkip {
		return
	}
	r.Kind = sheetNodes[p.kind]
	if p.kind == SheetContacts {
		return // its organisation is found like every other reference
	}
	wanted, ok := p.wanted(r)
	if !ok {
		return
	}
	var o Organisation
	if p.kind == SheetSuppliers && !p.marks(r, &o) {
		return
	}
	id, by := p.match(r, wanted, &o)
	if r.wrong() {
		return
	}
	if id == "" {
		id = cmp.Or(wanted, "")
		if id == "" {
			id = p.newID(r.Name, string(r.Kind))
		}
		r.ID = id
		p.makes(r, r.Kind, id, r.Name)
		if p.kind == SheetSuppliers {
			o.ID, o.Name = id, r.Name
			p.indexOrganisation(&o)
		}
		return
	}
	r.ID = id
	earlier := p.maker[id]
	if earlier == nil {
		earlier = p.claimed[id]
		r.exists = true
	}
	switch {
	case earlier == nil:
		p.claimed[id] = r
	case p.kind == SheetSuppliers:
		r.first = earlier
		if p.maker[id] != nil {
			earlier.rest = append(earlier.rest, r)
		}
	default:
		r.refuse("", "", entente.Say("line %d is about the same %s", earlier.Line, p.kind.One()))
		return
	}
	if by != "" {
		r.Reason = entente.Say("it is %s in the chain, by its %s", id, by)
	}
}

// wanted reads the id that the sheet gives; "" if it gives none.
func (p *planner) wanted(r *row) (NodeID, bool) {
	given := r.values["id"]
	if given == "" {
		return "", true
	}
	id, err := cellID(given)
	if err != nil {
		p.say(r, "id", err)
		return "", false
	}
	if kind, taken := p.kinds[id]; taken && kind != r.Kind {
		p.say(r, "id", entente.Invalid("%q is the ID of %s already; an ID is unique in the whole chain", id, article(kind)))
		return "", false
	}
	return id, true
}

// marks reads what an organisation is told by beside its name.
func (p *planner) marks(r *row, o *Organisation) bool {
	take(p, r, "lei", &o.LEI, cellLEI)
	if r.values["domains"] != "" {
		for _, item := range cellList(r.values["domains"]) {
			d, err := cellDomain(item)
			if err != nil {
				p.say(r, "domains", err)
				break
			}
			if !slices.Contains(o.Domains, d) {
				o.Domains = append(o.Domains, d)
			}
		}
	}
	return !r.wrong()
}

// match finds the thing of the row's kind that the row is about, and by what.
func (p *planner) match(r *row, wanted NodeID, o *Organisation) (id NodeID, by entente.Text) {
	if wanted != "" && p.kinds[wanted] == r.Kind {
		return wanted, "ID"
	}
	if r.Kind == KindOrganisation {
		if id, known := p.lei[o.LEI]; known && o.LEI != "" {
			return id, "LEI"
		}
		for _, d := range o.Domains {
			holders := p.domain[d]
			for _, id := range p.names[r.Kind][plainName(r.Name)] {
				if slices.Contains(holders, id) {
					return id, "domain and name"
				}
			}
			if len(holders) == 1 {
				return holders[0], "domain"
			}
		}
	}
	if wanted != "" {
		return "", "" // the ID says that it is another one of the same name
	}
	named := p.names[r.Kind][plainName(r.Name)]
	switch len(named) {
	case 0:
		return "", ""
	case 1:
		return named[0], "name"
	}
	r.refuse(p.label("name"), r.Name, entente.Say("%.80q is the name of %d things in the chain, such as %s and %s; give the ID", r.Name, len(named), named[0], named[1]))
	return "", ""
}

// take reads a cell that is not empty.
func take[T any](p *planner, r *row, key string, to *T, parse func(string) (T, error)) {
	if r.values[key] == "" {
		return
	}
	value, err := parse(r.values[key])
	if err != nil {
		p.say(r, key, err)
		return
	}
	*to = value
}

func asText(s string) (string, error) { return s, nil }

// fill makes the things that a row is about, and checks them.
func (p *planner) fill(r *row) {
	switch p.kind {
	case SheetSuppliers:
		p.fillSupplier(r)
	case SheetProcesses:
		p.fillProcess(r)
	case SheetSystems:
		p.fillSystem(r)
	case SheetProducts:
		p.fillProduct(r)
	case SheetContacts:
		p.fillContact(r)
	}
}

// settle decides what becomes of a row, given what its main thing was before and is
// now; before is nil for something new.
func (p *planner) settle(r *row, before, now any, more bool) {
	switch {
	case r.wrong():
		r.Action = RowRefuse
	case !r.exists:
		r.Action = RowAdd
	case p.opt.Exists != ExistsUpdate:
		r.Action, r.things, r.add = RowSkip, nil, nil
		if r.Reason.Blank() {
			r.Reason = entente.Say("it exists already")
		}
	case !more && thingText(before) == thingText(now):
		r.Action, r.things, r.add = RowSame, nil, nil
	default:
		r.Action = RowUpdate
	}
}

// allowed refuses a row by which the person would change what they may not.
func (p *planner) allowed(r *row, kind NodeKind, id NodeID) bool {
	if err := p.may(kind, id); err != nil {
		r.refuse("", "", entente.MessageOf(err))
		return false
	}
	return true
}

// check lets the rules of the map judge a thing; columns names the column of each
// field.
func (p *planner) check(r *row, thing any, columns map[string]string) {
	v := &validator{m: &Map{}, kind: p.kinds}
	at := root("row")
	switch t := thing.(type) {
	case *Organisation:
		v.organisation(at, t)
	case *Process:
		v.process(at, t)
	case *System:
		v.system(at, t)
	case *Supply:
		v.supply(at, t)
	case *Product:
		v.product(at, t)
	}
	for _, f := range v.found[:min(len(v.found), 5)] {
		field, part, _ := strings.Cut(strings.TrimPrefix(f.Field, "row."), "[")
		if _, part, _ = strings.Cut(part, "]."); field == "contacts" {
			field += "." + part
		}
		field = strings.TrimPrefix(field, "bia.")
		key := cmp.Or(columns[field], field)
		if p.label(key) == "" {
			r.refuse("", "", entente.Say("%s: %s", field, f.Message))
			continue
		}
		r.refuse(p.label(key), r.values[key], f.Message)
	}
}

func (p *planner) before(id NodeID) any {
	s, known := p.at[id]
	if !known || s.i < 0 {
		return nil
	}
	return p.m.thing(s)
}

var supplierCells = []string{"lei", "domains", "country", "category", "parent", "note"}

func (p *planner) fillSupplier(r *row) {
	if r.ID == p.m.Own {
		r.refuse(p.label("name"), r.Name, entente.Say("this is your own organisation, which is no supplier of its own"))
		return
	}
	if !p.allowed(r, KindOrganisation, r.ID) || !p.allowed(r, KindSupply, "") {
		return
	}
	known := r.exists
	var before any
	now := &Organisation{ID: r.ID, Name: r.Name}
	if known {
		before = p.before(r.ID)
		copied := *before.(*Organisation)
		now = &copied
	}
	if r.first != nil {
		for _, key := range supplierCells {
			if r.values[key] != "" && plainName(r.values[key]) != plainName(r.first.values[key]) {
				p.say(r, key, entente.Invalid("line %d is about the same supplier and says %q; say it there only", r.first.Line, r.first.values[key]))
			}
		}
	} else {
		p.fillOrganisation(r, now)
	}
	supply, supplyKnown := p.supplyOf(r)
	contact := p.contactOf(r)
	if r.wrong() {
		return
	}
	if r.first != nil && supply == nil && contact == nil {
		r.refuse("", "", entente.Say("line %d is about the same supplier", r.first.Line))
		return
	}
	if r.first == nil {
		p.check(r, now, nil)
	}
	if contact != nil {
		p.check(r, &Organisation{ID: r.ID, Name: "x", Contacts: []Contact{*contact}},
			map[string]string{"contacts.name": "contact", "contacts.role": "contact_role", "contacts.email": "email", "contacts.phone": "phone"})
	}
	if supply != nil {
		p.check(r, supply, map[string]string{"name": "supply", "kind": "bespoke", "category": "supply_category"})
	}
	// A row exists if all of what it is about does; a new supply of a known supplier
	// is an addition.
	r.exists = known && (supply == nil || supplyKnown)
	changesSupplier := r.first == nil && (!known || p.opt.Exists == ExistsUpdate)
	if changesSupplier {
		r.things = append(r.things, now)
	}
	more := false
	if supply != nil {
		r.things = append(r.things, supply)
		more = !supplyKnown || thingText(p.before(supply.ID)) != thingText(supply)
	}
	if contact != nil && (!known || p.opt.Exists == ExistsUpdate) {
		more = p.addsContact(r, r.ID, *contact) || more
	}
	if before == nil {
		before = now
	}
	p.settle(r, before, now, more)
}

func (p *planner) fillOrganisation(r *row, o *Organisation) {
	take(p, r, "name", &o.Name, asText)
	var told Organisation
	p.marks(r, &told)
	o.LEI = cmp.Or(told.LEI, o.LEI)
	o.Domains = joinedLists(o.Domains, told.Domains)
	take(p, r, "country", &o.Country, cellCountry)
	take(p, r, "category", &o.Category, asText)
	take(p, r, "note", &o.Note, asText)
	if name := r.values["parent"]; name != "" {
		if id, ok := p.refer(r, "parent", name, KindOrganisation); ok {
			o.Parent = id
			if !r.exists || p.opt.Exists == ExistsUpdate {
				r.parent = id
			}
		}
	}
}

// joinedLists adds to a list what is missing in it, without changing either.
func joinedLists[T comparable](list, more []T) []T {
	out := slices.Clip(list)
	for _, item := range more {
		if !slices.Contains(out, item) {
			out = append(out, item)
		}
	}
	return out
}

// supplyOf makes the supply that a row tells of; nil if it tells of none.
func (p *planner) supplyOf(r *row) (*Supply, bool) {
	told := false
	for _, key := range []string{"supply", "bespoke", "supply_category", "spend", "customer", "products", "access"} {
		told = told || r.values[key] != ""
	}
	if !told && (r.values["nature"] == "" || p.opt.Mapping["nature"].Fixed != "") {
		return nil, false
	}
	customer := p.m.Own
	if name := r.values["customer"]; name != "" {
		id, ok := p.refer(r, "customer", name, KindOrganisation)
		if !ok {
			return nil, false
		}
		customer = id
	}
	s, known := p.knownSupply(r, customer)
	if s == nil {
		name := cmp.Or(r.values["supply"], r.values["supply_category"], r.Name)
		s = &Supply{ID: p.newID(string(r.ID)+"-"+entente.Slug(name), "supply"), Name: name, Supplier: r.ID, Customer: customer}
		p.makes(r, KindSupply, s.ID, name)
		p.offer(s)
	}
	take(p, r, "nature", &s.Nature, func(c string) (Nature, error) { return cellWord[Nature](c, natureWords, natureNames) })
	take(p, r, "bespoke", &s.Kind, func(c string) (SupplyKind, error) {
		return cellWord[SupplyKind](c, supplyKindWords, bespokeNames)
	})
	take(p, r, "supply_category", &s.Category, asText)
	take(p, r, "spend", &s.Spend, func(c string) (int64, error) { return cellMoney(c, p.m.Currency, maxSpend) })
	s.Products = joinedLists(s.Products, p.references(r, "products", KindProduct))
	take(p, r, "access", &s.Access, func(c string) ([]Access, error) { return p.accesses(r, s.Access, c) })
	return s, known
}

// knownSupply finds the supply that a row is about: by its name, or the only one
// there is.
func (p *planner) knownSupply(r *row, customer NodeID) (*Supply, bool) {
	ids := p.offers[offerKey(r.ID, customer, r.values["supply"])]
	if len(ids) != 1 {
		return nil, false
	}
	id := ids[0]
	if by := cmp.Or(p.maker[id], p.claimed[id]); by != nil {
		r.refuse("", "", entente.Say("line %d is about the same supply", by.Line))
		return &Supply{}, true
	}
	s, ok := p.before(id).(*Supply)
	if !ok {
		return nil, false
	}
	p.claimed[id] = r
	copied := *s
	return &copied, true
}

// offer enters a supply under its name, and under none for rows that do not name it.
func (p *planner) offer(s *Supply) {
	for _, name := range []string{s.Name, ""} {
		key := offerKey(s.Supplier, s.Customer, name)
		p.offers[key] = append(p.offers[key], s.ID)
	}
}

func offerKey(supplier, customer NodeID, name string) [3]string {
	return [3]string{string(supplier), string(customer), plainName(name)}
}

func (p *planner) references(r *row, key string, kinds ...NodeKind) []NodeID {
	var ids []NodeID
	for _, name := range cellList(r.values[key]) {
		id, ok := p.refer(r, key, name, kinds...)
		if !ok {
			return nil
		}
		ids = append(ids, id)
	}
	return ids
}

func (p *planner) accesses(r *row, known []Access, cell string) ([]Access, error) {
	all := slices.Clone(known)
	for _, item := range cellList(cell) {
		part := inBrackets.FindStringSubmatch(item)
		if part == nil {
			return nil, entente.Invalid("%.80q does not say how far; write user, write or privileged behind it: Portal (user)", item)
		}
		level, err := cellWord[AccessLevel](part[2], []string{"user", "write", "privileged"}, accessNames)
		if err != nil {
			return nil, err
		}
		id, err := p.find(part[1], []NodeKind{KindSystem})
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(all, func(a Access) bool { return a.System == id }); i >= 0 {
			all[i].Level = level
			continue
		}
		all = append(all, Access{System: id, Level: level})
	}
	return all, nil
}

func (p *planner) contactOf(r *row) *Contact {
	c := Contact{Name: r.values["contact"], Role: r.values["contact_role"], Phone: r.values["phone"]}
	take(p, r, "email", &c.Email, cellEmail)
	if c == (Contact{}) {
		return nil
	}
	c.Name = cmp.Or(c.Name, c.Role, c.Email, c.Phone)
	return &c
}

// addsContact makes the row add a contact to an organisation; false if there is
// nothing to add. Other rows may add to the same organisation, so what it holds is
// only known when the map is built.
func (p *planner) addsContact(r *row, id NodeID, c Contact) bool {
	if o, ok := p.before(id).(*Organisation); ok && o != nil {
		if i := sameContact(o.Contacts, c); i >= 0 && filled(o.Contacts[i], c) == o.Contacts[i] {
			return false
		}
	}
	r.add = func() error {
		o, ok := p.before(id).(*Organisation)
		if !ok {
			return entente.Invalid("its organisation was refused")
		}
		now := *o
		now.Contacts = slices.Clone(o.Contacts)
		if i := sameContact(now.Contacts, c); i >= 0 {
			now.Contacts[i] = filled(now.Contacts[i], c)
		} else if len(now.Contacts) >= maxList {
			return entente.Invalid("the organisation has %d contacts already, and no more are taken", maxList)
		} else {
			now.Contacts = append(now.Contacts, c)
		}
		p.set(&now)
		return nil
	}
	return true
}

// sameContact finds a contact by its address, or by its name if one of the two has
// no address.
func sameContact(all []Contact, c Contact) int {
	return slices.IndexFunc(all, func(o Contact) bool {
		if o.Email != "" && c.Email != "" {
			return strings.EqualFold(o.Email, c.Email)
		}
		return plainName(o.Name) == plainName(c.Name)
	})
}

// filled gives a contact with what another one says of the same person.
func filled(o, c Contact) Contact {
	if strings.EqualFold(o.Email, c.Email) {
		c.Email = o.Email
	}
	if plainName(o.Name) == plainName(c.Name) {
		c.Name = o.Name
	}
	return Contact{Name: cmp.Or(c.Name, o.Name), Role: cmp.Or(c.Role, o.Role), Email: cmp.Or(c.Email, o.Email), Phone: cmp.Or(c.Phone, o.Phone)}
}

func (p *planner) fillContact(r *row) {
	id, ok := p.refer(r, "organisation", r.values["organisation"], KindOrganisation)
	if !ok || !p.allowed(r, KindOrganisation, id) {
		return
	}
	r.ID = id
	c := Contact{Name: r.Name, Role: r.values["role"], Phone: r.values["phone"]}
	take(p, r, "email", &c.Email, cellEmail)
	if r.wrong() {
		return
	}
	key := [2]string{string(id), cmp.Or(strings.ToLower(c.Email), plainName(c.Name))}
	if by := p.contacts[key]; by != nil {
		r.refuse("", "", entente.Say("line %d is about the same contact", by.Line))
		return
	}
	p.contacts[key] = r
	p.check(r, &Organisation{ID: id, Name: "x", Contacts: []Contact{c}},
		map[string]string{"contacts.name": "name", "contacts.role": "role", "contacts.email": "email", "contacts.phone": "phone"})
	o := p.before(id).(*Organisation)
	r.exists = sameContact(o.Contacts, c) >= 0
	r.Reason = entente.Say("of %s", o.Name)
	adds := p.addsContact(r, id, c)
	p.settle(r, o, o, adds)
}

func (p *planner) fillProduct(r *row) {
	if !p.allowed(r, KindProduct, r.ID) {
		return
	}
	before, _ := p.before(r.ID).(*Product)
	now := &Product{ID: r.ID, Name: r.Name}
	if before != nil {
		copied := *before
		now = &copied
	}
	take(p, r, "name", &now.Name, asText)
	take(p, r, "version", &now.Version, asText)
	now.SBOMs = joinedLists(now.SBOMs, cellList(r.values["sboms"]))
	if name := r.values["supplier"]; name != "" {
		now.Supplier, _ = p.refer(r, "supplier", name, KindOrganisation)
	}
	systems := p.references(r, "systems", KindSystem)
	if r.wrong() {
		return
	}
	p.check(r, now, nil)
	r.things = []any{now}
	more := false
	for _, id := range systems {
		s := p.before(id).(*System)
		if slices.Contains(s.Products, r.ID) {
			continue
		}
		more = true
		if !p.allowed(r, KindSystem, id) {
			return
		}
	}
	r.add = func() error {
		for _, id := range systems {
			s := *p.before(id).(*System)
			s.Products = joinedLists(s.Products, []NodeID{r.ID})
			if len(s.Products) > maxList {
				return entente.Invalid("the system %s runs %d products already, and no more are taken", id, maxList)
			}
			p.set(&s)
		}
		return nil
	}
	p.settle(r, thingOr(before, now), now, more)
}

// thingOr keeps a nil pointer from becoming a thing.
func thingOr[T any](before, now *T) any {
	if before == nil {
		return now
	}
	return before
}

func (p *planner) fillSystem(r *row) {
	if !p.allowed(r, KindSystem, r.ID) {
		return
	}
	before, _ := p.before(r.ID).(*System)
	now := &System{ID: r.ID, Name: r.Name}
	if before != nil {
		copied := *before
		now = &copied
	}
	take(p, r, "name", &now.Name, asText)
	take(p, r, "kind", &now.Kind, func(c string) (SystemKind, error) {
		return cellWord[SystemKind](c, systemKindWords, systemKindNames)
	})
	if name := r.values["operator"]; name != "" {
		now.Operator, _ = p.refer(r, "operator", name, KindOrganisation)
	}
	for _, item := range cellList(r.values["data"]) {
		class, err := cellWord[Class](item, classWords(), classNames)
		if err != nil {
			p.say(r, "data", err)
			break
		}
		now.Data = joinedLists(now.Data, []Class{class})
	}
	now.Products = joinedLists(now.Products, p.references(r, "products", KindProduct))
	now.Needs = p.needs(r, now.Needs)
	if r.wrong() {
		return
	}
	p.check(r, now, nil)
	r.things = []any{now}
	p.settle(r, thingOr(before, now), now, false)
}

// needs adds the needs that a row names; one that is known gets the row's buffer.
func (p *planner) needs(r *row, known []Need) []Need {
	if r.values["needs"] == "" {
		return known
	}
	told, err := cellNeeds(r.values["needs"])
	if err != nil {
		p.say(r, "needs", err)
		return known
	}
	all := slices.Clone(known)
	for _, t := range told {
		n := Need{Buffer: t.buffer}
		for _, name := range t.any {
			id, ok := p.refer(r, "needs", name, anything...)
			if !ok {
				return known
			}
			if !slices.Contains(n.Any, id) {
				n.Any = append(n.Any, id)
			}
		}
		i := slices.IndexFunc(all, func(o Need) bool { return slices.Equal(o.Any, n.Any) })
		switch {
		case i < 0:
			all = append(all, n)
		case n.Buffer > 0:
			all[i].Buffer = n.Buffer
		}
	}
	return all
}

func (p *planner) fillProcess(r *row) {
	if !p.allowed(r, KindProcess, r.ID) {
		return
	}
	before, _ := p.before(r.ID).(*Process)
	now := &Process{ID: r.ID, Name: r.Name}
	if before != nil {
		copied := *before
		now = &copied
	}
	take(p, r, "name", &now.Name, asText)
	take(p, r, "description", &now.Description, asText)
	take(p, r, "owner", &now.Owner, asText)
	take(p, r, "criticality", &now.BIA.Criticality, func(c string) (Criticality, error) {
		return cellWord[Criticality](c, criticalityWords, criticalityNames)
	})
	p.takeDuration(r, "rto", &now.BIA)
	p.takeDuration(r, "mtpd", &now.BIA)
	p.takeDuration(r, "rpo", &now.BIA)
	take(p, r, "cost", &now.BIA.Cost, func(c string) ([]CostRate, error) { return cellCost(c, p.m.Currency) })
	now.Inputs = p.items(r, "inputs", " from ", now.Inputs)
	now.Outputs = p.items(r, "outputs", " to ", now.Outputs)
	now.Needs = p.needs(r, now.Needs)
	now.Activities = slices.Clone(now.Activities)
	for _, name := range cellList(r.values["activities"]) {
		if slices.ContainsFunc(now.Activities, func(a Activity) bool { return plainName(a.Name) == plainName(name) }) {
			continue
		}
		id := p.newID(string(r.ID)+"-"+entente.Slug(name), "activity")
		p.kinds[id] = KindActivity
		now.Activities = append(now.Activities, Activity{ID: id, Name: name})
	}
	if r.wrong() {
		return
	}
	p.check(r, now, nil)
	r.things = []any{now}
	p.settle(r, thingOr(before, now), now, false)
}

func (p *planner) takeDuration(r *row, key string, b *BIA) {
	to := &b.RTO
	switch key {
	case "mtpd":
		to = &b.MTPD
	case "rpo":
		to = &b.RPO
	}
	heading := ""
	if i := p.opt.Mapping[key].Column; i > 0 {
		heading = p.heading[i-1]
	}
	if r.values[key] == "" {
		return
	}
	d, err := cellDuration(r.values[key], headingUnit(heading))
	if err != nil {
		p.say(r, key, err)
		return
	}
	*to = d
}

// items adds the inputs or outputs that a row names; the party stands behind a word.
func (p *planner) items(r *row, key, word string, known []Item) []Item {
	all := slices.Clip(known)
	for _, text := range cellList(r.values[key]) {
		item := Item{Name: text}
		if i := strings.LastIndex(strings.ToLower(text), word); i > 0 && len(strings.ToLower(text)) == len(text) {
			// “from” may be part of the name: only an organisation of the chain is a party.
			if id, err := p.find(strings.TrimSpace(text[i+len(word):]), []NodeKind{KindOrganisation}); err == nil {
				item.Name, item.Party = strings.TrimSpace(text[:i]), id
			}
		}
		if !slices.ContainsFunc(all, func(o Item) bool { return plainName(o.Name) == plainName(item.Name) }) {
			all = append(all, item)
		}
	}
	return all
}
