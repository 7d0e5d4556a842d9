package chain

import (
	"time"

	"github.com/entente-project/entente"
)

// NodeID names one thing of a chain. It is a slug, unique among all things of one
// organisation's chain whatever their kind, so that a need or a flow can refer to
// a thing by its id alone.
type NodeID string

// NodeKind says what a thing is.
type NodeKind string

// The kinds of things in a chain.
const (
	KindOrganisation NodeKind = "organisation"
	KindProcess      NodeKind = "process"
	KindActivity     NodeKind = "activity"
	KindSystem       NodeKind = "system"
	KindSupply       NodeKind = "supply"
	KindProduct      NodeKind = "product"
)

// Noun is the word for a thing of the kind.
func (k NodeKind) Noun() entente.Text {
	switch k {
	case KindOrganisation:
		return "organisation"
	case KindProcess:
		return "process"
	case KindActivity:
		return "activity"
	case KindSystem:
		return "system"
	case KindSupply:
		return "supply"
	case KindProduct:
		return "product"
	case kindFlow:
		return "flow"
	}
	return "thing"
}

// Word is what a system of the kind is called.
func (k SystemKind) Word() entente.Text {
	switch k {
	case SystemApplication:
		return "application"
	case SystemService:
		return "service"
	case SystemDataStore:
		return "data store"
	case SystemInterface:
		return "interface"
	}
	return entente.Text(k)
}

// Word is what data of the class is called.
func (c Class) Word() entente.Text {
	switch c {
	case ClassPublic:
		return "public"
	case ClassInternal:
		return "internal"
	case ClassConfidential:
		return "confidential"
	case ClassPersonal:
		return "personal"
	case ClassSecret:
		return "secret"
	}
	return entente.Text(c)
}

// SayRank says a rank in words.
func SayRank(rank int) entente.Message {
	switch rank {
	case UnknownRank:
		return entente.Say("not connected")
	case 0:
		return entente.Say("ourselves")
	}
	return entente.Say("rank %d", rank)
}

// Map is a whole chain as the file format entente.map/1 writes it: the unit of
// import and export, and what [Compile] turns into a [Graph].
type Map struct {
	Own           NodeID // the organisation whose chain this is; one of Organisations
	Currency      string // ISO 4217, for every amount in the map
	Organisations []Organisation
	Processes     []Process
	Systems       []System
	Supplies      []Supply
	Products      []Product
	Flows         []Flow
}

// Organisation is a legal entity in the chain: ourselves, a supplier of any rank,
// a customer.
type Organisation struct {
	ID       NodeID
	Name     string
	LEI      string   // ISO 17442, 20 characters, "" if unknown
	Domains  []string // DNS names, lower case
	Country  string   // ISO 3166-1 alpha-2
	Category string   // what they are to us in a word: "logistics", "cloud host"
	Parent   NodeID   // who owns it, "" if nobody that we know of; never a cycle
	Contacts []Contact
	Note     string
}

// Contact is whom to call. Name may be a function ("service desk") instead of a
// person.
type Contact struct {
	Name  string
	Role  string // "incident", "security", "account", … free text
	Email string
	Phone string
}

// Process is a business process described by SIPOC, with its BIA.
type Process struct {
	ID          NodeID
	Name        string
	Description string
	Owner       string // who answers for it: a function or a name
	BIA         BIA
	Inputs      []Item
	Outputs     []Item
	Activities  []Activity
	Needs       []Need
}

// Item is an input from or an output to a party of a process (SIPOC).
type Item struct {
	Name  string
	Party NodeID   // the organisation it comes from or goes to; "" if internal
	Kind  ItemKind // data, goods, service
}

// ItemKind says what an input or output is made of.
type ItemKind string

// The kinds of items.
const (
	ItemData    ItemKind = "data"
	ItemGoods   ItemKind = "goods"
	ItemService ItemKind = "service"
)

// Activity is a step of a process. The process needs every one of its activities.
type Activity struct {
	ID    NodeID
	Name  string
	Needs []Need
	// Buffer is how long the process can do without this step.
	Buffer time.Duration
}

// Criticality is how much hangs on a process, from its business impact analysis.
type Criticality string

// The criticalities, from the highest to the lowest.
const (
	Critical Criticality = "critical"
	High     Criticality = "high"
	Medium   Criticality = "medium"
	Low      Criticality = "low"
)

// BIA is the business impact analysis of a process (terms of ISO 22301).
// Zero durations mean "not set": nothing is said to exceed them.
type BIA struct {
	Criticality Criticality
	RTO         time.Duration // recovery time objective
	MTPD        time.Duration // maximum tolerable period of disruption; ≥ RTO
	RPO         time.Duration // recovery point objective
	// Cost is what an interruption costs: rates that apply from a time after the
	// process failed, in ascending order of From.
	Cost []CostRate
}

// CostRate is what each hour of interruption costs from a time on, in whole units
// of the map's currency.
type CostRate struct {
	From    time.Duration
	PerHour int64
}

// Class is how sensitive data is.
type Class string

// The classes of data, from the least to the most sensitive.
const (
	ClassPublic       Class = "public"
	ClassInternal     Class = "internal"
	ClassConfidential Class = "confidential"
	ClassPersonal     Class = "personal"
	ClassSecret       Class = "secret" // credentials, keys, special-category data
)

// Noun is the word for data of the class: "personal".
func (c Class) Noun() entente.Text {
	switch c {
	case ClassPublic:
		return "public"
	case ClassInternal:
		return "internal"
	case ClassConfidential:
		return "confidential"
	case ClassPersonal:
		return "personal"
	case ClassSecret:
		return "secret"
	}
	return "unknown"
}

// SystemKind says what a system is.
type SystemKind string

// The kinds of systems.
const (
	SystemApplication SystemKind = "application"
	SystemService     SystemKind = "service"
	SystemDataStore   SystemKind = "datastore"
	SystemInterface   SystemKind = "interface"
)

// System is an application, service, data store or interface that activities,
// supplies or other systems rely on.
type System struct {
	ID       NodeID
	Name     string
	Kind     SystemKind
	Operator NodeID   // the organisation that runs it
	Data     []Class  // what it holds
	Products []NodeID // software and hardware it runs
	Needs    []Need
}

// SupplyKind tells standard terms from negotiated ones (NCSC principle 5).
type SupplyKind string

// The kinds of supplies.
const (
	Commodity SupplyKind = "commodity"
	Bespoke   SupplyKind = "bespoke"
)

// Nature says what is delivered. A compromise spreads over software, cloud and
// service, not over goods.
type Nature string

// The natures of supplies.
const (
	NatureGoods    Nature = "goods"
	NatureService  Nature = "service"
	NatureSoftware Nature = "software"
	NatureCloud    Nature = "cloud"
)

// Supply is one product or service that one supplier delivers to one customer.
type Supply struct {
	ID       NodeID
	Name     string
	Supplier NodeID
	Customer NodeID
	Kind     SupplyKind
	Nature   Nature
	Category string // service category for concentration: "cloud hosting"
	Products []NodeID
	Access   []Access
	// Spend is the yearly amount in whole units of the map's currency; 0 if unknown.
	Spend int64
	Needs []Need
}

// AccessLevel is how far a supplier reaches into a system.
type AccessLevel string

// The levels of access (tier criteria, "logical access").
const (
	AccessUser       AccessLevel = "user"
	AccessWrite      AccessLevel = "write"
	AccessPrivileged AccessLevel = "privileged"
)

// Access is a supplier's way into one of its customer's systems.
type Access struct {
	System NodeID
	Level  AccessLevel
}

// Product is what a supplier ships as a node of the chain. What it is made of
// belongs to the inventory.
type Product struct {
	ID       NodeID
	Name     string
	Supplier NodeID
	Version  string
	// SBOMs are file names or patterns (path.Match) that bind documents of a folder
	// to this product; without any, a file named after the product's id is taken.
	SBOMs []string
}

// Need is what a thing relies on: any one of the alternatives suffices, and the
// buffer says how long the thing can do without all of them.
type Need struct {
	Any    []NodeID
	Buffer time.Duration
	Note   string // what the buffer is: "stock in the warehouse", "paper forms"
}

// Flow is data that moves between two systems, activities or organisations.
type Flow struct {
	ID        NodeID
	From, To  NodeID
	Data      []string // what moves: "orders", "lab results"
	Class     Class
	Interface string // over which interface: "REST API", "SFTP drop"
	Protocol  string
}
