package web

import (
	"log/slog"
	"net/http"

	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/carry"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/inventory"
	"github.com/entente-project/entente/internal/notify"
	"github.com/entente-project/entente/internal/partner"
	"github.com/entente-project/entente/internal/search"
	"github.com/entente-project/entente/internal/threat"
	"github.com/entente-project/entente/internal/web/lang"
)

// Config is what the pages are wired to. All rooms are needed.
type Config struct {
	// DB is read for the journal only; everything else comes from the rooms.
	DB        *db.DB
	Identity  *identity.Service
	Chain     *chain.Service
	Inventory *inventory.Service
	Advisory  *advisory.Service
	Partner   *partner.Service
	Exchange  *exchange.Service
	Threat    *threat.Service
	Carry     *carry.Carrier
	// Languages are those in which pages can be read; nil means the shipped ones.
	Languages *lang.Languages
	Notify    *notify.Service
	Search    *search.Service
	// Secure says that browsers reach the node over TLS, directly or through a proxy.
	Secure bool
	// Address tells from where a request comes; nil takes its RemoteAddr, which the
	// command sets to the client's where a trusted proxy tells of it.
	Address func(*http.Request) string
	// Log gets the faults of the program; nil means slog.Default().
	Log *slog.Logger
}
