package exec

// ParseAnswer is what the fuzz target feeds.
var ParseAnswer = parseAnswer
