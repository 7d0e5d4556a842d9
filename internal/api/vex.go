package api

import (
	"context"
	"net/http"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory/vex"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
)

var vexOperations = []operation{{
	id: "say-vex", method: http.MethodPost, path: "/products/{id}/vex", verb: identity.ExchangeShare,
	summary:  "Say how a product of ours stands to a vulnerability",
	about:    "For ourselves, and to the customers who are named: they get it as OpenVEX, under the strictest label of their agreements. With preview, nothing is said: the answer says who would get it and why, and who would not and why not.",
	register: answers(sayVEX),
}}

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
