package carry

import (
	"context"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/threat"
	"github.com/entente-project/entente/internal/threat/stix"
)

// warn brings threats to their room. If what is marked inside is stricter than the
// entry, the stricter label holds; and what is TLP:RED inside without people who are
// named goes into no room.
func (c *Carrier) warn(ctx context.Context, actor entente.Actor, e exchange.Received) (entente.Message, error) {
	d, err := stix.Read(e.Body)
	if err != nil {
		return entente.Message{}, err
	}
	if err := d.Check(); err != nil {
		return entente.Message{}, err
	}
	label, said := d.TLP()
	if !said {
		label = e.Marking.TLP
	}
	label = entente.Stricter(e.Marking.TLP, label)
	if label == entente.TLPRed {
		return entente.Message{}, entente.Invalid("it is marked TLP:RED inside, and names nobody who may see it; ask %s for whom it is", e.Name)
	}
	if err := c.threat.Record(ctx, actor, threat.Threat{Party: e.Party, Number: e.Number, By: e.Name, TLP: label, At: e.Said}, d); err != nil {
		return entente.Message{}, err
	}
	if said && label != e.Marking.TLP {
		return entente.Say("It is kept with the threats, marked %s as it says inside: that is stricter than the %s of the entry.", label.String(), e.Marking.TLP.String()), nil
	}
	return entente.Say("It is kept with the threats."), nil
}
