"""Who is at the school next door? Made up as well. It follows EPOS_SCHOOL, so that both presets are seen."""

from jobs.demo.roster_set import Person, School, StudyGroup

IN_3A = tuple(f"eleve.3a.{number}" for number in range(1, 6))
IN_4B = tuple(f"eleve.4b.{number}" for number in range(1, 5))

PEOPLE = (
    Person("principale", "administrator", "Odile", "Marchand"),
    Person("secretariat", "aide", "Benoît", "Gaillard"),
    # The librarian of the other school has the same login: each school gives its own.
    Person("library", "aide", "Noémie", "Cœuret"),
    Person("pp.3a", "teacher", "Aurélie", "Bonnefoy"),
    Person("pp.4b", "teacher", "Loïc", "Le Guen"),
    Person("prof.anglais", "teacher", "James", "Whitfield"),
    Person("prof.russe", "teacher", "Людмила", "Ветрова"),
    Person("eleve.3a.1", "student", "Chloë", "Vasseur", "", ("parent.3a.1",)),
    Person("eleve.3a.2", "student", "Maël", "Dupré", "", ("parent.3a.2", "parent.3a.3")),
    Person("eleve.3a.3", "student", "Inès", "Haddad", "", ("parent.3a.4",)),
    Person("eleve.3a.4", "student", "Jean-Baptiste", "Roy"),
    Person("eleve.3a.5", "student", "Zoë", "d'Estrées", "", ("parent.3a.5",)),
    Person("eleve.4b.1", "student", "Léa", "Vasseur", "", ("parent.3a.1",)),
    Person("eleve.4b.2", "student", "Gaëtan", "Kerjean", "", ("parent.4b.1",)),
    Person("eleve.4b.3", "student", "Артём", "Лапин", "", ("parent.4b.2",)),
    Person("eleve.4b.4", "student", "Naïma", "Benali", "", ("parent.4b.3",)),
    Person("parent.3a.1", "guardian", "Sébastien", "Vasseur"),
    Person("parent.3a.2", "guardian", "Cécile", "Dupré"),
    Person("parent.3a.3", "guardian", "Thomas", "Dupré"),
    Person("parent.3a.4", "guardian", "Leïla", "Haddad"),
    Person("parent.3a.5", "guardian", "Marie-Ange", "d'Estrées"),
    Person("parent.4b.1", "guardian", "Anaïs", "Kerjean"),
    Person("parent.4b.2", "guardian", "Ксения", "Лапина"),
    Person("parent.4b.3", "guardian", "Karim", "Benali"),
)

CLASSES = (
    StudyGroup("3a", "3e A", "Vie de classe", ("pp.3a",), IN_3A, True, ("pp.3a",), "cycle-4"),
    StudyGroup("4b", "4e B", "Vie de classe", ("pp.4b",), IN_4B, True, ("pp.4b",), "cycle-4"),
)

SUBGROUPS = (
    StudyGroup("anglais.3a", "Anglais 3e A", "Anglais", ("prof.anglais",), IN_3A),
    StudyGroup("russe", "Russe 3e-4e", "Russe", ("prof.russe",), ("eleve.3a.3", "eleve.4b.3")),
)

TILLEULS = School(
    source_id="demo-tilleuls",
    name="Collège des Tilleuls",
    preset="EPOS_SCHOOL",
    time_zone="Europe/Paris",
    locale="fr",
    people=PEOPLE,
    study_groups=CLASSES + SUBGROUPS,
    cycles=(("cycle-4", "Cycle 4"),),
    in_cycles=(("principale", "cycle-4"),),
)
