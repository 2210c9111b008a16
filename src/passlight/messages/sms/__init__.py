"""SMS by the two services that most authorities have a contract with."""
