"""Days that a filter may name: far enough from the calendar's ends that the next one exists."""

from django.core.validators import MaxValueValidator, MinValueValidator

from passlight.core.kernel.limits import FACT_EARLIEST, FACT_LATEST

IN_CALENDAR = (MinValueValidator(FACT_EARLIEST.date()), MaxValueValidator(FACT_LATEST.date()))
