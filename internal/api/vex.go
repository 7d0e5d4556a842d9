package api

import (
	"context"
	"net/http"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/advisory/vex"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
)

var vexOperations = []operation{{
	id: "say-vex", method: http.MethodPost, path: "/products/{id}/vex", verb: identity.ExchangeShare,
	summary:  "Say how a product of ours stands to a vulnerability",
	about:    "For ourselves, and to the customers who are named: they get it as OpenVEX, under the strictest label of their agreements. With preview, nothing is said: the answer says who would get it and why, and who would not and why not.",
	register: answers(sayVEX),
}, {
	id: "list-vex", method: http.MethodGet, path: "/vex", verb: identity.AdvisoryRead,
	summary:  "List what was said of how products stand",
	about:    "The latest first, with what was replaced or taken back, or whose time ran out; what the latter two said is deleted. When a later word goes, the one before counts again.",
	register: answers(listVEX),
}}

// SpokenVEX is what who makes a product said of it and one vulnerability.
type SpokenVEX struct {
	Product       string     `json:"product"`
	Vulnerability string     `json:"vulnerability"`
	Status        string     `json:"status" doc:"not_affected, affected, fixed or under_investigation."`
	Justification string     `json:"justification,omitempty"`
	Text          string     `json:"text,omitempty"`
	Action        string     `json:"action,omitempty"`
	Packages      []string   `json:"packages,omitempty" doc:"Parts of the product that it is about; absent: all of it."`
	Party         string     `json:"party" doc:"Who said it."`
	By            string     `json:"by" doc:"What they call themselves."`
	Number        uint64     `json:"number" doc:"Of the entry; of our own word, when it was said."`
	At            time.Time  `json:"at"`
	State         string     `json:"state" doc:"standing, replaced, recalled or expired."`
	Ended         *time.Time `json:"ended,omitempty" doc:"When it was replaced or taken back, or its time ran out."`
}

func listVEX(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Product       string `query:"product" maxLength:"200" doc:"Of this product only."`
	Vulnerability string `query:"vulnerability" maxLength:"256" doc:"Of this name only."`
	Paging
}) (*listOutput[SpokenVEX], error) {
	var names []string
	if in.Vulnerability != "" {
		names = []string{in.Vulnerability}
	}
	all, err := s.Advisory.SpokenOf(ctx, actor, chain.NodeID(in.Product), names)
	if err != nil {
		return nil, err
	}
	return filtered(all, func(*advisory.Spoken) bool { return true }, in.Paging, func(one advisory.Spoken) SpokenVEX {
		return SpokenVEX{
			Product: string(one.Product), Vulnerability: one.Vulnerability, Status: string(one.Status), Justification: one.Justification, Text: one.Text, Action: one.Action, Packages: one.Packages,
			Party: string(one.Party), By: one.By, Number: one.Number, At: one.At, State: one.State, Ended: momentOrNone(one.Ended),
		}
	}, "vex", in.Product, in.Vulnerability)
}

// NewVEX says how a product stands to a vulnerability.
type NewVEX struct {
	Vulnerability string   `json:"vulnerability" minLength:"1" maxLength:"256" doc:"As in CVE-2026-12345."`
	Status        string   `json:"status" enum:"not_affected,affected,fixed,under_investigation"`
	Justification string   `json:"justification,omitempty" enum:"component_not_present,vulnerable_code_not_present,vulnerable_code_not_in_execute_path,vulnerable_code_cannot_be_controlled_by_adversary,inline_mitigations_already_exist" doc:"With not_affected; without one, text says why."`
	Text          string   `json:"text,omitempty" maxLength:"2000" doc:"In your words."`
	Action        string   `json:"action,omitempty" maxLength:"2000" doc:"With affected: what customers should do."`
	To            []string `json:"to,omitempty" maxItems:"5000" doc:"The partners who are told; none: it counts here only."`
	Preview       bool     `json:"preview,omitempty" doc:"Say nothing."`
}

func sayVEX(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByID
	Body NewVEX
}) (*one[Said], error) {
	say := s.Carry.State
	if in.Body.Preview {
		say = s.Carry.StatePreview
	}
	statement := vex.Statement{Vulnerability: in.Body.Vulnerability, Status: vex.Status(in.Body.Status), Justification: in.Body.Justification, Text: in.Body.Text, Action: in.Body.Action}
	if statement.Justification != "" && statement.Status != vex.NotAffected {
		return nil, entente.Invalid("a justification goes with not_affected alone")
	}
	lines, err := say(ctx, actor, chain.NodeID(in.ID), statement, parties(in.Body.To))
	if err != nil {
		return nil, err
	}
	return saidOf("", lines, nil), nil
}
