package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
)

var viewOperations = []operation{
	{
		id: "list-views", method: http.MethodGet, path: "/views", verb: identity.ViewSave,
		summary: "List the saved views of lists", about: "Those of the token's owner and those that are shared, by name.", register: answers(listViews),
	},
	{
		id: "save-view", method: http.MethodPost, path: "/views", verb: identity.ViewSave,
		summary: "Save a view of a list", about: "One of the owner's own with the same name on the same list is changed to it. To share one needs view.share as well.", register: answers(saveView),
	},
	{
		id: "change-view", method: http.MethodPut, path: "/views/{view}", verb: identity.ViewSave,
		summary: "Rename a view, share it or not", about: "What is or gets shared needs view.share as well.", register: answers(changeView),
	},
	{
		id: "remove-view", method: http.MethodDelete, path: "/views/{view}", verb: identity.ViewSave,
		summary: "Remove a view", about: "A shared one needs view.share as well.", register: answers(removeView),
	},
	{
		id: "set-standard-view", method: http.MethodPut, path: "/standard-views/{list}", verb: identity.ViewSave,
		summary: "Choose the view with which a list opens", about: "For the owner of the token alone.", register: answers(setStandardView),
	},
}

// NewView is a view of a list, to be saved.
type NewView struct {
	List     string `json:"list" enum:"processes,systems,suppliers,supplies,documents,data-flows,advisories,products,components,people,partners,journal,tokens"`
	Name     string `json:"name" maxLength:"60"`
	Query    string `json:"query,omitempty" maxLength:"2000" doc:"Search, filters, order, columns and rows, as the address of the list has them: q=beans&sort=-name."`
	Shared   bool   `json:"shared,omitempty" doc:"With everybody in the organisation."`
	Standard bool   `json:"standard,omitempty" doc:"The list opens with it, for the owner of the token."`
}

// SavedView is a saved view of a list.
type SavedView struct {
	ID string `json:"id"`
	NewView
	Mine    bool      `json:"mine"`
	By      string    `json:"by"`
	Created time.Time `json:"created"`
}

func savedViewOf(v identity.View) SavedView {
	return SavedView{
		ID: v.ID, NewView: NewView{List: v.List, Name: v.Name, Query: v.Query, Shared: v.Shared, Standard: v.Standard},
		Mine: v.Mine, By: v.By, Created: v.Created,
	}
}

func listViews(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Paging
	List string `query:"list" maxLength:"60" doc:"Only views of this list."`
}) (*listOutput[SavedView], error) {
	all, err := s.Identity.Views(ctx, actor, in.List)
	if err != nil {
		return nil, err
	}
	return filtered(all, func(*identity.View) bool { return true }, in.Paging, savedViewOf, "views", in.List)
}

func saveView(s *server, ctx context.Context, actor entente.Actor, in *struct{ Body NewView }) (*one[SavedView], error) {
	v := in.Body
	saved, err := s.Identity.SaveView(ctx, actor, identity.View{List: v.List, Name: v.Name, Query: v.Query, Shared: v.Shared, Standard: v.Standard})
	if err != nil {
		return nil, err
	}
	return &one[SavedView]{savedViewOf(saved)}, nil
}

// ByView is what operations on one view take.
type ByView struct {
	View string `path:"view" maxLength:"64" doc:"The id of the view."`
}

func changeView(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByView
	Body struct {
		Name   string `json:"name" maxLength:"60"`
		Shared bool   `json:"shared" doc:"That of a colleague stays shared."`
	}
}) (*one[Done], error) {
	return done(s.Identity.RenameView(ctx, actor, in.View, in.Body.Name, in.Body.Shared))
}

func removeView(s *server, ctx context.Context, actor entente.Actor, in *ByView) (*one[Done], error) {
	return done(s.Identity.RemoveView(ctx, actor, in.View))
}

func setStandardView(s *server, ctx context.Context, actor entente.Actor, in *struct {
	List string `path:"list" enum:"processes,systems,suppliers,supplies,documents,data-flows,advisories,products,components,people,partners,journal,tokens"`
	Body struct {
		View string `json:"view,omitempty" maxLength:"64" doc:"The id of a view of the list; absent, and the list opens as it is by itself."`
	}
}) (*one[Done], error) {
	if in.Body.View != "" {
		views, err := s.Identity.Views(ctx, actor, in.List)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(views, func(v identity.View) bool { return v.ID == in.Body.View }) {
			return nil, entente.NotFound("there is no such view of this list; it may have been removed")
		}
	}
	return done(s.Identity.SetStandardView(ctx, actor, in.List, in.Body.View))
}
