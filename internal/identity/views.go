package identity

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

// View is a view of a list that somebody gave a name: search, filters, sort, columns
// and rows as the URL of the list says them.
type View struct {
	ID       string
	List     string // the path of the list inside the organisation: "processes"
	Name     string
	Query    string
	Shared   bool // with everybody in the organisation
	Mine     bool
	Standard bool // the list opens with it, for the actor
	By       string
	Created  time.Time
}

// Limits of views.
const (
	maxViews     = 100 // of one person, and shared ones of one organisation
	maxViewQuery = 2000
	maxViewName  = 60
)

// ViewLists are the lists of which views are kept, by their paths inside the
// organisation.
func ViewLists() []string {
	return []string{"processes", "systems", "suppliers", "supplies", "documents", "data-flows", "advisories", "products", "components", "people", "partners", "journal", "tokens"}
}

// OfView is what of a list's address belongs to a view of it: not the page of the
// list, a file of it, nor what was done just before.
func OfView(values url.Values) url.Values {
	kept := maps.Clone(values)
	for _, passing := range []string{"page", "format", "done", "change", "view"} {
		kept.Del(passing)
	}
	for key, all := range kept {
		if len(all) == 0 || len(all) == 1 && all[0] == "" && key == "q" {
			kept.Del(key)
		}
	}
	return kept
}

func (v View) check() (View, error) {
	v.Name = strings.Join(strings.Fields(v.Name), " ")
	switch {
	case v.Name == "":
		return v, entente.Invalid("give the view a name")
	case len([]rune(v.Name)) > maxViewName:
		return v, entente.Invalid("the name has more than %d characters; take a shorter one", maxViewName)
	case !slices.Contains(ViewLists(), v.List):
		return v, entente.Invalid("there is no list %.60q of which views are kept", v.List)
	case len(v.Query) > maxViewQuery:
		return v, entente.TooLarge("search and filters of the view are longer than %d characters", maxViewQuery)
	}
	values, err := url.ParseQuery(v.Query)
	if err != nil {
		return v, entente.Invalid("search and filters of the view cannot be read")
	}
	v.Query = OfView(values).Encode()
	return v, nil
}

// Views lists the actor's own views of a list, or of all if it is empty, and those
// that are shared, by name.
func (s *Service) Views(ctx context.Context, actor entente.Actor, list string) (all []View, err error) {
	if err := Require(actor, ViewSave, In(actor.Org)); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		all, err = viewsOf(ctx, tx, actor.Org, actor.Person, list)
		return err
	})
	return all, err
}

// SaveView keeps a view. One of the actor's own with the same name on the same list
// is changed to it. A view is shared by those with [ViewShare].
func (s *Service) SaveView(ctx context.Context, actor entente.Actor, n View) (View, error) {
	if err := requireView(actor, n.Shared); err != nil {
		return View{}, err
	}
	n, err := n.check()
	if err != nil {
		return View{}, err
	}
	var saved View
	err = s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		saved = View{ID: newID(), List: n.List, Name: n.Name, Query: n.Query, Shared: n.Shared, Standard: n.Standard, Mine: true, By: actor.Name, Created: s.now()}
		all, err := viewsOf(ctx, tx, actor.Org, actor.Person, "")
		if err != nil {
			return err
		}
		same := slices.IndexFunc(all, func(v View) bool { return v.List == n.List && v.Mine && strings.EqualFold(v.Name, n.Name) })
		switch {
		case same >= 0:
			saved.ID, saved.Created = all[same].ID, all[same].Created
			saved.Shared = n.Shared || all[same].Shared
			if err := requireView(actor, saved.Shared); err != nil {
				return err
			}
			err = updateView(ctx, tx, actor.Org, saved)
		case len(all) >= 2*maxViews || count(all, func(v View) bool { return v.Mine }) >= maxViews:
			return entente.TooLarge("you have %d views; remove one that is not used", count(all, func(v View) bool { return v.Mine }))
		default:
			err = insertView(ctx, tx, actor.Org, actor.Person, saved)
		}
		if err != nil || !n.Standard {
			return err
		}
		return setStandard(ctx, tx, actor.Org, actor.Person, saved.List, saved.ID)
	})
	return saved, err
}

func count(all []View, is func(View) bool) (n int) {
	for _, v := range all {
		if is(v) {
			n++
		}
	}
	return n
}

func requireView(actor entente.Actor, shared bool) error {
	if err := Require(actor, ViewSave, In(actor.Org)); err != nil || !shared {
		return err
	}
	return Require(actor, ViewShare, In(actor.Org))
}

// viewIn finds a view that the actor sees.
func viewIn(ctx context.Context, tx *db.Tx, actor entente.Actor, id string) (View, error) {
	all, err := viewsOf(ctx, tx, actor.Org, actor.Person, "")
	if err != nil {
		return View{}, err
	}
	i := slices.IndexFunc(all, func(v View) bool { return v.ID == id })
	if i < 0 {
		return View{}, entente.NotFound("there is no such view; it may have been removed")
	}
	return all[i], nil
}

// RenameView gives a view another name, and shares it or not. That of a colleague,
// and whether one is shared, is changed by those with [ViewShare].
func (s *Service) RenameView(ctx context.Context, actor entente.Actor, id, name string, shared bool) error {
	if err := Require(actor, ViewSave, In(actor.Org)); err != nil {
		return err
	}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		v, err := viewIn(ctx, tx, actor, id)
		if err != nil {
			return err
		}
		if err := requireView(actor, v.Shared || shared); err != nil {
			return err
		}
		if !v.Mine {
			shared = true // it cannot be taken from everybody for the one who made it
		}
		v.Name, v.Shared = name, shared
		v, err = v.check()
		if err != nil {
			return err
		}
		if err := updateView(ctx, tx, actor.Org, v); err != nil || v.Shared {
			return err
		}
		return dropStandards(ctx, tx, actor.Org, id)
	})
}

// RemoveView removes a view: one's own, or with [ViewShare] any that is shared.
func (s *Service) RemoveView(ctx context.Context, actor entente.Actor, id string) error {
	if err := Require(actor, ViewSave, In(actor.Org)); err != nil {
		return err
	}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		v, err := viewIn(ctx, tx, actor, id)
		if err != nil {
			return err
		}
		if err := requireView(actor, v.Shared); err != nil {
			return err
		}
		return deleteView(ctx, tx, actor.Org, id)
	})
}

// SetStandardView makes a list open with a view, for the actor alone; without an id
// it opens as it is by itself.
func (s *Service) SetStandardView(ctx context.Context, actor entente.Actor, list, id string) error {
	if err := Require(actor, ViewSave, In(actor.Org)); err != nil {
		return err
	}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		if id != "" {
			v, err := viewIn(ctx, tx, actor, id)
			if err != nil {
				return err
			}
			list = v.List
		}
		return setStandard(ctx, tx, actor.Org, actor.Person, list, id)
	})
}
