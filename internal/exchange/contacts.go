package exchange

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

// SetContacts says whom partners can reach at our side, and tells all of them.
func (s *Service) SetContacts(ctx context.Context, actor entente.Actor, contacts []entente.Contact) error {
	if err := identity.Require(actor, identity.PartnerManage, identity.In(actor.Org)); err != nil {
		return err
	}
	if len(contacts) > entente.MaxContacts {
		return entente.TooLarge("these are more than %d contacts", entente.MaxContacts)
	}
	contacts = slices.Clone(contacts)
	for i, c := range contacts {
		for _, text := range []*string{&c.Name, &c.Role, &c.Email, &c.Phone} {
			*text = strings.Join(strings.Fields(*text), " ")
			if len(*text) > maxName {
				return entente.TooLarge("a contact says more than %d characters in one place", maxName)
			}
		}
		if c.Name == "" || c.Email == "" && c.Phone == "" {
			return entente.Invalid("contact %d needs a name, of a person or a desk, and an e-mail address or a telephone number", i+1)
		}
		contacts[i] = c
	}
	if _, err := s.self(ctx, actor.Org); err != nil {
		return err
	}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		self, signer, err := s.mine(ctx, tx, actor.Org)
		if err != nil || slices.Equal(self.Contacts, contacts) {
			return err
		}
		self.Contacts = contacts
		if err := updateSelf(ctx, tx, actor.Org, self); err != nil {
			return err
		}
		body, err := encode(contactsBody{contacts})
		if err != nil {
			return err
		}
		if err := s.tellAll(ctx, tx, self, signer, entente.EntryContacts, "", body); err != nil {
			return err
		}
		return journal.Append(ctx, tx, actor, EventContacts, string(self.Party()), map[string]any{"contacts": len(contacts)})
	})
}

// Reachable gives whom partners named to be reached, by the organisation of our chain
// that each of them is.
func (s *Service) Reachable(ctx context.Context, actor entente.Actor) (by map[string][]entente.Contact, err error) {
	if err := identity.Require(actor, identity.PartnerRead, identity.In(actor.Org)); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		by = map[string][]entente.Contact{}
		return db.Each(ctx, tx, "SELECT known_as, contacts FROM exchange_partner WHERE org = $1 AND state = $2 AND known_as <> '' ORDER BY party", func(row db.Scanner) error {
			var id, text string
			if err := row.Scan(&id, &text); err != nil {
				return err
			}
			var contacts []entente.Contact
			err := json.Unmarshal([]byte(text), &contacts)
			by[id] = append(by[id], contacts...)
			return err
		}, actor.Org, Active)
	})
	return by, err
}
