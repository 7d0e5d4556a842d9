package web

import (
	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/partner"
)

// word says one of a room's fixed values; a value without words stays as it is.
func word[T ~string](words map[T]entente.Text, value T) entente.Message {
	if text, ok := words[value]; ok {
		return entente.Say(text)
	}
	return entente.Say("%s", string(value))
}

var criticalityWords = map[chain.Criticality]entente.Text{
	chain.Critical: "critical", chain.High: "high", chain.Medium: "medium", chain.Low: "low", "": "not rated",
}

var systemWords = wordsOf(chain.SystemKind.Word, chain.SystemApplication, chain.SystemService, chain.SystemDataStore, chain.SystemInterface)

var classWords = wordsOf(chain.Class.Word, chain.Classes()...)

func wordsOf[T comparable](word func(T) entente.Text, all ...T) map[T]entente.Text {
	words := map[T]entente.Text{}
	for _, value := range all {
		words[value] = word(value)
	}
	return words
}

var kindWordsOf = func() map[chain.NodeKind]entente.Text {
	words := map[chain.NodeKind]entente.Text{}
	for kind := range textsOfThings {
		words[kind] = kind.Noun()
	}
	return words
}()

var itemWords = map[chain.ItemKind]entente.Text{chain.ItemData: "data", chain.ItemGoods: "goods", chain.ItemService: "service"}

var supplyWords = map[chain.SupplyKind]entente.Text{chain.Commodity: "commodity", chain.Bespoke: "bespoke"}

var natureWords = map[chain.Nature]entente.Text{
	chain.NatureGoods: "goods", chain.NatureService: "service", chain.NatureSoftware: "software", chain.NatureCloud: "cloud",
}

var accessWords = map[chain.AccessLevel]entente.Text{
	chain.AccessUser: "user", chain.AccessWrite: "write", chain.AccessPrivileged: "privileged",
}

// tierInside names the tiers inside a sentence.
var tierInside = map[partner.Tier]entente.Text{
	partner.TierCritical: "critical", partner.TierImportant: "important", partner.TierStandard: "standard", partner.TierLow: "low",
}

var bandWords = map[chain.Band]entente.Text{chain.BandLow: "low", chain.BandModerate: "moderate", chain.BandHigh: "high"}
