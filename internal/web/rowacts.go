package web

import (
	"strconv"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/partner"
	"github.com/entente-project/entente/internal/web/ui"
)

// tierActs are what can be done with the tiers of many suppliers.
func (v *visit) tierActs() []bulkAct {
	if !v.may(identity.ChainOverride) {
		return nil
	}
	return []bulkAct{tierAct()}
}

func tierAct() bulkAct {
	return bulkAct{
		key: "tier", label: "Set the tier by hand", title: "Set the tier of %s by hand", now: "Tier now",
		action: func(v *visit) string { return v.in("tiers") },
		fields: func(v *visit) ([]bulkField, error) {
			tier := bulkField{Field: ui.Field{Name: "tier", Label: v.T("Tier"), Value: string(partner.TierImportant)}, Choose: true}
			for _, t := range partner.Tiers() {
				tier.Options = append(tier.Options, ui.Option{Value: string(t), Label: v.tierName(t)})
			}
			return []bulkField{
				tier,
				{Field: ui.Field{Name: "why", Label: v.T("Why the computed tier does not fit"), Hint: v.T("A sentence that others can follow."), Required: true, MaxLength: 2000}},
				{Field: ui.Field{Name: "until", Label: v.T("Until"), Type: "date", Value: time.Now().AddDate(0, 6, 0).Format(time.DateOnly), Hint: v.T("Twelve months at most."), Required: true}},
			}, nil
		},
		plan: (*visit).planTiers,
	}
}

func (v *visit) planTiers(ids []string) (bulkPlan, error) {
	rows, err := v.supplierRows(v.r.Context(), v.actor)
	if err != nil {
		return bulkPlan{}, err
	}
	known := make(map[string]supplierRow, len(rows.rows))
	for _, r := range rows.rows {
		known[string(r.ID)] = r
	}
	why, err := v.Partner.NoTiers(v.r.Context(), v.actor, nodeIDs(ids))
	if err != nil {
		return bulkPlan{}, err
	}
	var plan bulkPlan
	for _, id := range ids {
		row := bulkRow{id: id, name: ui.Link{Text: id}, why: why[chain.NodeID(id)]}
		if r, ok := known[id]; ok {
			row.name, row.now = ui.Link{Text: r.Name, Href: v.in("suppliers", id)}, v.tierCell(r.standing).Text
			if r.standing == nil && row.why == nil {
				row.why = entente.Conflict("it is not a direct supplier, and only those have a tier")
			}
		}
		plan.rows = append(plan.rows, row)
	}
	return plan, nil
}

// setTiers sets the tiers of many suppliers by hand.
func (v *visit) setTiers() error {
	ask := v.confirmed()
	ask.one, ask.many = nounsOf(chain.KindOrganisation)
	o := partner.Override{Tier: partner.Tier(v.text("tier")), Reason: v.text("why")}
	until, err := time.Parse(time.DateOnly, v.text("until"))
	var batch int64
	if err != nil {
		err = entente.Invalid("give the day on which it ends, as in 2027-03-31")
	} else {
		o.Until = until.AddDate(0, 0, 1) // the day itself belongs to it
		batch, err = v.Partner.SetTiers(v.r.Context(), v.actor, nodeIDs(ask.ids), o)
	}
	if err != nil {
		a := tierAct()
		return v.refusedBulk(&a, ask, err)
	}
	return v.redirect(doneTo(ask.back, "tiers", batch))
}

func (v *visit) undoTiers() error {
	n, err := v.changeNumber()
	if err != nil {
		return err
	}
	err = v.Partner.UndoTiers(v.r.Context(), v.actor, n)
	if err != nil {
		return v.refusedUndo("suppliers", (*visit).suppliers, err)
	}
	if back := v.text("back"); back != "" {
		return v.redirect(within(back) + "?done=undone")
	}
	return v.redirect(v.in("suppliers") + "?view=all&done=undone")
}

// roleActs are what can be done with many members.
func (v *visit) roleActs() []bulkAct {
	if !v.may(identity.PeopleManage) {
		return nil
	}
	return []bulkAct{roleAct()}
}

func roleAct() bulkAct {
	return bulkAct{
		key: "role", label: "Change the role", title: "Change the role of %s", now: "Role now",
		warn:   "Nothing was changed yet. A new role applies at once, also where somebody is signed in already.",
		action: func(v *visit) string { return v.in("roles") },
		fields: func(v *visit) ([]bulkField, error) {
			f, err := v.roleForm(entente.RoleAnalyst, nil, "")
			if err != nil {
				return nil, err
			}
			if len(f.Scope.Options) > 0 {
				f.Scope.Hint = v.T("All of them get the same ones. Where each has their own, change the roles one by one.")
			}
			role := ui.Field{Name: f.Role.Name, Label: f.Role.Label, Value: f.Role.Value}
			return []bulkField{{Field: role, Options: f.Role.Options, Choose: true}, {Checks: &f.Scope}}, nil
		},
		plan: (*visit).planRoles,
	}
}

func (v *visit) planRoles(ids []string) (bulkPlan, error) {
	members, err := v.Identity.Members(v.r.Context(), v.actor)
	if err != nil {
		return bulkPlan{}, err
	}
	known := map[string]identity.Member{}
	for _, m := range members {
		known[string(m.Person.ID)] = m
	}
	var plan bulkPlan
	for _, id := range ids {
		m, ok := known[id]
		row := bulkRow{id: id, name: ui.Link{Text: m.Person.Name, Href: v.in("people", id)}, now: v.roleHead(m.Role)}
		switch {
		case !ok:
			row.name, row.why = ui.Link{Text: id}, entente.NotFound("there is no such member any more")
		case m.Role == entente.RoleContact:
			row.why = entente.Conflict("a guest of a partnership has no other role")
		case m.Person.ID == v.actor.Person:
			row.why = entente.Conflict("it is you; change your own role on your page in People")
		}
		plan.rows = append(plan.rows, row)
	}
	return plan, nil
}

// setRoles gives many members a role, business owners the same processes.
func (v *visit) setRoles() error {
	ask := v.confirmed()
	ask.one, ask.many = "person", "people"
	role, scope, err := v.chosenRole(nil)
	var batch int64
	switch {
	case err != nil:
	case role == entente.RoleContact:
		err = entente.Invalid("a contact is a guest of a partnership; choose another role for a colleague")
	default:
		ids := make([]entente.PersonID, len(ask.ids))
		for i, id := range ask.ids {
			ids[i] = entente.PersonID(id)
		}
		batch, err = v.Identity.SetRoles(v.r.Context(), v.actor, ids, role, scope)
	}
	if err != nil {
		a := roleAct()
		return v.refusedBulk(&a, ask, err)
	}
	if batch == 0 {
		return v.redirect(ask.back)
	}
	return v.redirect(doneTo(ask.back, "roles", batch))
}

func (v *visit) undoRoles() error {
	n, err := strconv.ParseInt(v.r.PathValue("id"), 10, 64)
	if err != nil {
		return errNoPage
	}
	err = v.Identity.UndoRoles(v.r.Context(), v.actor, n)
	if err != nil {
		return v.refusedUndo("people", (*visit).people, err)
	}
	return v.redirect(v.in("people") + "?view=all&done=undone")
}
