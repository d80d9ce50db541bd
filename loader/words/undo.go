package words

// The results of undo, as places in Undo.
const (
	Undone = iota
	Restored
	Kept
	Failed
)

// Undo is the results of leadload undo.
var Undo = Table{
	Undone:   {Word: "undone", Tone: Good},
	Restored: {Word: "restored", Tone: Good},
	Kept:     {Word: "kept", Person: true, Tone: Odd},
	Failed:   {Word: "failed", Person: true, Tone: Bad},
}
