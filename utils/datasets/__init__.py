"""Where sequences come from: prices, climate series and the windows cut from them."""
