package main

import (
	"cmp"
	"slices"
	"time"

	"github.com/entente-project/entente/internal/chain"
)

// report is the answer of entente impact. Its JSON form is entente.impact/1,
// docs/schema/entente.impact.1.json. Times are whole seconds from now; a time that
// never comes is null.
type report struct {
	Format string        `json:"format"`
	Map    reportMap     `json:"map"`
	Asked  reportAsked   `json:"asked"`
	Read   reportRead    `json:"read"`
	Hit    bool          `json:"hit"`
	Hits   []processHit  `json:"processes"`
	Found  []finding     `json:"findings"`
	Reach  reportReach   `json:"reached"`
	Open   reportUnknown `json:"unknown"`
}

const reportFormat = "entente.impact/1"

type reportMap struct {
	File         string       `json:"file"`
	Organisation chain.NodeID `json:"organisation"`
	Name         string       `json:"name"`
	Currency     string       `json:"currency"`
	Processes    int          `json:"processes"`
}

type reportAsked struct {
	Advisories []string  `json:"advisories"` // empty: all
	Down       []thing   `json:"down"`
	Documents  bool      `json:"documents"` // whether SBOMs were matched at all
	Horizon    *int64    `json:"horizon"`
	Restored   *int64    `json:"restored"`
	At         time.Time `json:"at"`
}

type reportRead struct {
	Documents  int `json:"documents"` // of products in the map
	Components int `json:"components"`
	Advisories int `json:"advisories"`
	Withdrawn  int `json:"withdrawn"`
}

// thing is a node of the chain in a report.
type thing struct {
	ID           chain.NodeID   `json:"id"`
	Kind         chain.NodeKind `json:"kind"`
	Name         string         `json:"name"`
	Organisation chain.NodeID   `json:"organisation,omitempty"`
	Rank         *int           `json:"rank"` // of the organisation behind it; null if unknown
}

// finding is a product that falls under an advisory.
type finding struct {
	Product   thing    `json:"product"`
	Version   string   `json:"product_version"`
	Document  string   `json:"document"`
	Component string   `json:"component"`
	At        string   `json:"component_version"`
	PURL      string   `json:"purl"`
	Advisory  string   `json:"advisory"`
	Aliases   []string `json:"aliases"`
	Summary   string   `json:"summary"`
	Severity  string   `json:"severity"` // critical, high, moderate, low, or "" if unknown
	Score     float64  `json:"score"`    // CVSS base score, 0 if unknown
	Why       string   `json:"why"`
}

// names gives the advisory with its CVE number, where that is not its own name.
func (f finding) names() string {
	for _, alias := range f.Aliases {
		if len(alias) > 4 && alias[:4] == "CVE-" && alias != f.Advisory {
			return alias + " (" + f.Advisory + ")"
		}
	}
	return f.Advisory
}

var severities = []string{"low", "moderate", "high", "critical"}

// graver orders findings, the gravest first.
func graver(a, b finding) int {
	return cmp.Or(
		cmp.Compare(slices.Index(severities, b.Severity), slices.Index(severities, a.Severity)),
		cmp.Compare(b.Score, a.Score),
		cmp.Compare(a.Advisory, b.Advisory),
		cmp.Compare(a.Component, b.Component),
		cmp.Compare(a.At, b.At),
	)
}

// processHit is one process with everything that is known of how it is hit.
type processHit struct {
	ID          chain.NodeID      `json:"id"`
	Name        string            `json:"name"`
	Criticality chain.Criticality `json:"criticality"`
	Owner       string            `json:"owner"`
	RTO         int64             `json:"rto"`
	MTPD        int64             `json:"mtpd"`
	// Outage is what the things that are said to be down do to it.
	Outage *stop `json:"outage"`
	// Ways are how a vulnerable product reaches it, the surest first.
	Ways []way `json:"ways"`
	// SwitchedOff is what it costs to take the reached systems out of service now.
	SwitchedOff *stop  `json:"switched_off"`
	Call        []call `json:"call"`
}

// stop is the end of a process.
type stop struct {
	Down         []thing `json:"down"`
	Stops        int64   `json:"stops_after"`
	RTOExceeded  *int64  `json:"rto_exceeded_after"`
	MTPDExceeded *int64  `json:"mtpd_exceeded_after"`
	Costs        []cost  `json:"costs"`
	Path         []step  `json:"path"`
	Words        string  `json:"words"`
}

type cost struct {
	After  int64  `json:"after"`
	When   string `json:"when"`
	Amount int64  `json:"amount"`
}

// step is one thing on the critical path, the process first.
type step struct {
	thing
	Stops  int64   `json:"stops_after"`
	Buffer int64   `json:"buffer"`
	Note   string  `json:"note"`
	Also   []thing `json:"also_stopped"` // the other alternatives, which stopped too
}

// way is how a compromise of one product reaches a process.
type way struct {
	Product  thing          `json:"product"`
	Sure     chain.Sureness `json:"sure"`
	Hops     []hop          `json:"hops"`
	Findings int            `json:"findings"` // how many findings the product has
	Words    string         `json:"words"`

	calls []chain.Call
}

type hop struct {
	From  thing          `json:"from"`
	To    thing          `json:"to"`
	Sure  chain.Sureness `json:"sure"`
	Words string         `json:"words"`
}

// call is an organisation to call.
type call struct {
	Organisation chain.NodeID `json:"organisation"`
	Name         string       `json:"name"`
	Rank         *int         `json:"rank"`
	Because      string       `json:"because"`
	Contacts     []contact    `json:"contacts"`
}

type contact struct {
	Name  string `json:"name"`
	Role  string `json:"role"`
	Email string `json:"email"`
	Phone string `json:"phone"`
}

type reportReach struct {
	Systems []reached     `json:"systems"`
	Data    []dataReached `json:"data"`
}

type reached struct {
	thing
	Sure chain.Sureness `json:"sure"`
}

type dataReached struct {
	Class chain.Class    `json:"class"`
	Sure  chain.Sureness `json:"sure"`
	Where []chain.NodeID `json:"where"`
}

// reportUnknown is what could not be decided. None of it counts as safe.
type reportUnknown struct {
	NotAssessable []document  `json:"not_assessable"` // documents without any package URL
	Undecided     []undecided `json:"undecided"`      // components that may fall under an advisory
	Unread        []document  `json:"unread"`         // documents that could not be read
	Without       []thing     `json:"without_document"`
	Unbound       []string    `json:"unbound"` // documents of no product in the map
	Advisories    []string    `json:"advisories"`
}

type document struct {
	File       string `json:"file"`
	Product    thing  `json:"product"`
	Components int    `json:"components"`
	Why        string `json:"why"`
}

type undecided struct {
	Product   thing  `json:"product"`
	Document  string `json:"document"`
	Component string `json:"component"`
	At        string `json:"component_version"`
	PURL      string `json:"purl"`
	Advisory  string `json:"advisory"` // "" where no advisory is asked yet
	Why       string `json:"why"`
}

// seconds gives a time of the chain for a report: nil for never.
func seconds(d time.Duration) *int64 {
	if d == chain.Never {
		return nil
	}
	s := int64(d / time.Second)
	return &s
}
