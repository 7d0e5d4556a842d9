package api

import (
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/carry"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/inventory"
	"github.com/entente-project/entente/internal/notify"
	"github.com/entente-project/entente/internal/partner"
	"github.com/entente-project/entente/internal/search"
	"github.com/entente-project/entente/internal/threat"
)

// Rooms are the services that the operations ask.
type Rooms struct {
	Identity  *identity.Service
	Chain     *chain.Service
	Inventory *inventory.Service
	Advisory  *advisory.Service
	Notify    *notify.Service
	Partner   *partner.Service
	Exchange  *exchange.Service
	Threat    *threat.Service
	Carry     *carry.Carrier
	Search    *search.Service
}
