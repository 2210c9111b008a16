"""The Korean patients of 2020 and the places they visited, as the KCDC lists were collected."""
